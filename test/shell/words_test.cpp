// Where the founding module takes a context or a word for a protocol, so does this library; and
// what it tells of a listener.

#include "print.hpp"
#include "tls.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/socket.h>

#include <optional>

namespace cotls::test::words_test {
namespace {

struct fixture {
  asio::io_context context;

  // Connects, and returns the version that was agreed on; the failure's text where there is none.
  std::string connect(int port, client_context const& with) {
    std::string said;
    async_connect(context.get_executor(), "localhost", port, with, connect_options(),
                  [&](error_code code, tcp_stream made) {
                    said = code ? made.last_error().what() : made.info().version;
                  });
    context.restart();
    while (said.empty() && context.run_one_for(10s) > 0) {
    }
    return said;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(words, fixture)

BOOST_AUTO_TEST_CASE(a_listener_of_a_word_is_given_its_certificate_before_the_first_accept) {
  listener server(context.get_executor(), any_port(), protocol::tls1_2);
  server.context().use(localhost_identity());
  server.async_accept([](error_code code, tcp_stream) { BOOST_TEST(!code); });
  BOOST_TEST(connect(server.port(), localhost_client()) == "TLSv1.2");
  BOOST_CHECK_EXCEPTION(server.context().use(localhost_identity()), error,
                        [](error const& thrown) { return thrown.code() == errc::context_sealed; });
}

BOOST_AUTO_TEST_CASE(a_client_of_a_word_verifies_all_the_same) {
  listener server(context.get_executor(), any_port(), localhost_server());
  server.async_accept([](error_code, tcp_stream) {});
  std::string const said = connect(server.port(), protocol::sslv2_or_v3);
  BOOST_TEST(said.ends_with("[ssl: certificate verify failed]"));
}

BOOST_AUTO_TEST_CASE(a_word_that_openssl_cannot_speak_is_refused_at_the_call) {
  auto const unsupported = [](error const& thrown) {
    return thrown.code() == errc::unsupported_protocol;
  };
  BOOST_CHECK_EXCEPTION(connect(443, protocol::sslv2), error, unsupported);
  BOOST_CHECK_EXCEPTION(listener(context.get_executor(), any_port(), protocol::sslv2), error,
                        unsupported);
}

BOOST_AUTO_TEST_CASE(a_listener_tells_the_port_and_the_descriptor_it_has) {
  listener const server(context.get_executor(), any_port(), localhost_server());
  BOOST_TEST(server.port() != 0);
  tcp::endpoint bound;
  auto size = static_cast<socklen_t>(bound.capacity());
  BOOST_TEST(::getsockname(server.native_handle(), bound.data(), &size) == 0);
  BOOST_TEST(bound.port() == server.port());
  tcp::socket client(context);
  BOOST_CHECK_NO_THROW(client.connect(bound));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::words_test
