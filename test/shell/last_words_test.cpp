// The peer's last words: a client that is refused, and writes before it reads, is told why and not
// only that the connection is gone.

#include "blocking.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <future>
#include <string>

namespace cotls::test::last_words_test {

namespace {

// Refuses clients without a certificate: those of TLS 1.3 have finished their handshake by then (T7).
server_context asking_server() {
  return localhost_server(protocol::tls1_3)
      .add_root(localhost_identity().chain().leaf())
      .set_verify(verify::required);
}

struct refused_client {
  blocking::listener listener{any_port(), asking_server(),
                              blocking::listen_options().accept_timeout(20s)};
  blocking::stream client;

  refused_client() {
    auto accepting = std::async(std::launch::async, [this] {
      error_code code;
      listener.accept(code);
      return code;
    });
    client = blocking::connect("127.0.0.1", listener.port(), localhost_client());
    client.set_timeout(20s);
    BOOST_REQUIRE(accepting.get());   // the alert is here, and the server's socket closed
  }

  // Until the socket says that its peer is gone.
  template <class Call>
  error_code until_it_fails(Call call) {
    error_code code;
    for (int i = 0; i < 1000 && !code; ++i) call(code);
    return code;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(last_words, refused_client)

BOOST_AUTO_TEST_CASE(a_write_that_fails_says_what_the_peers_alert_says) {
  error_code const failed =
      until_it_fails([&](error_code& code) { client.write(asio::buffer("hello", 5), code); });
  BOOST_TEST(failed == alert::certificate_required);
  error_code code;
  client.write(asio::buffer("hello", 5), code);
  BOOST_TEST(code == alert::certificate_required);
  std::string text(10, '\0');
  client.read_some(asio::buffer(text), code);
  BOOST_TEST(code == alert::certificate_required);
}

BOOST_AUTO_TEST_CASE(an_asynchronous_write_that_fails_says_so_too) {
  asio::io_context context;
  tcp::socket socket(context);
  auto accepting = std::async(std::launch::async, [this] {
    error_code code;
    listener.accept(code);
  });
  socket.connect({asio::ip::address_v4::loopback(), listener.port()});
  tcp_stream stream(std::move(socket), localhost_client(), client_options().host("localhost"));
  run(context, [](tcp_stream& tls) -> asio::awaitable<void> {
    co_await tls.async_handshake();
  }(stream));
  accepting.get();
  error_code failed;
  auto const write = [](tcp_stream& tls, error_code& code) -> asio::awaitable<void> {
    while (!code) std::tie(code, std::ignore) =
        co_await tls.async_write(asio::buffer("hello", 5), as_result);
  };
  run(context, write(stream, failed));
  BOOST_TEST(failed == alert::certificate_required);
  BOOST_TEST(stream.last_error().code() == alert::certificate_required);
}

// Data that came before the alert is delivered first.
BOOST_AUTO_TEST_CASE(data_before_the_alert_is_not_lost_by_looking_for_it) {
  blocking_pair pair;
  pair.server.write(asio::buffer("last data", 9));
  {
    auto const gone = std::move(pair.server);   // closed without close_notify
  }
  error_code const failed =
      until_it_fails([&](error_code& code) { pair.client.write(asio::buffer("hello", 5), code); });
  BOOST_TEST((failed == asio::error::broken_pipe || failed == asio::error::connection_reset),
             failed.message());
  std::string text(20, '\0');
  error_code code;
  std::size_t const n = pair.client.read_some(asio::buffer(text), code);
  BOOST_TEST(text.substr(0, n) == "last data");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::last_words_test
