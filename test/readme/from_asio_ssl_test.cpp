// The programs of the page for those who come from asio::ssl, asked for over Asio's stream and over
// ours: README's server echoes.

#include "prelude.hpp"
#include "ssl_streams.hpp"

#include <cotls/ssl_stream.hpp>

#include <boost/asio/ssl.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>

namespace cotls::test::from_asio_ssl_test {

namespace server {
#include "echo.inc"
}

namespace over_asio {
#include "tls_stream_of_asio.inc"

#include "ask.inc"
}  // namespace over_asio

namespace over_cotls {
#include "tls_stream_of_cotls.inc"

#include "ask.inc"
}  // namespace over_cotls

namespace anew {
#include "ask_anew.inc"
}

namespace {

struct echo_server {
  asio::io_context context;
  listener listens{context.get_executor(), any_port(), localhost_server()};
  asio::ssl::context trusting = localhost_ssl_client();

  echo_server() { asio::co_spawn(context, server::serve(listens), asio::detached); }

  tcp::socket connected_socket() {
    tcp::socket socket(context);
    socket.connect(listens.local_endpoint());
    return socket;
  }

  std::string answer_of(asio::awaitable<std::string> asking) {
    std::string answer;
    run(context, [&]() -> asio::awaitable<void> {
      answer = co_await std::move(asking);
      listens.close();
    }());
    return answer;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(from_asio_ssl, echo_server)

BOOST_AUTO_TEST_CASE(a_program_works_over_asios_stream) {
  BOOST_TEST(answer_of(over_asio::ask(connected_socket(), trusting)) == "hello");
}

BOOST_AUTO_TEST_CASE(the_same_program_works_over_ours) {
  BOOST_TEST(answer_of(over_cotls::ask(connected_socket(), trusting)) == "hello");
}

BOOST_AUTO_TEST_CASE(a_new_program_does_the_same) {
  client_context const with = localhost_client();
  BOOST_TEST(answer_of(anew::ask(listens.port(), with)) == "hello");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::from_asio_ssl_test
