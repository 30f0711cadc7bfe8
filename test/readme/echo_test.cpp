// The README's server, asked by a client over loopback.

#include "prelude.hpp"
#include "tls.hpp"

#include <boost/test/unit_test.hpp>

#include "echo.inc"

BOOST_AUTO_TEST_SUITE(readme)

BOOST_AUTO_TEST_CASE(the_echo_server_echoes) {
  asio::io_context context;
  cotls::listener listener(context.get_executor(), cotls::test::any_port(),
                           cotls::test::localhost_server());
  asio::co_spawn(context, serve(listener), asio::detached);
  std::string answer(5, '\0');
  auto asking = [&]() -> asio::awaitable<void> {
    cotls::client_context const with = cotls::test::localhost_client();
    auto tls = co_await cotls::async_connect("localhost", listener.port(), with,
                                             cotls::connect_options().timeout(5s));
    co_await tls.async_write(asio::buffer("hello", 5));
    co_await asio::async_read(tls, asio::buffer(answer), asio::use_awaitable);
    co_await tls.async_shutdown();
    listener.close();
  };
  cotls::test::run(context, asking());
  BOOST_TEST(answer == "hello");
}

// The call shapes of the documentation, each inside the co_await expression: GCC 12 miscompiles
// some such shapes, which AddressSanitizer sees.
BOOST_AUTO_TEST_CASE(options_may_be_made_inside_the_co_await_expression) {
  asio::io_context context;
  cotls::listener listener(context.get_executor(), cotls::test::any_port(),
                           cotls::test::localhost_server().set_alpn({"http/1.1"}));
  auto accepting = [&]() -> asio::awaitable<void> {
    for (;;) {
      auto [end, tls] = co_await listener.async_accept(asio::as_tuple(asio::use_awaitable));
      if (end) co_return;
    }
  };
  auto asking = [&]() -> asio::awaitable<void> {
    std::string const a_long_host_name = "localhost";
    for (int i = 0; i < 3; ++i) {
      auto tls = co_await cotls::async_connect(
          a_long_host_name, listener.port(), cotls::test::localhost_client(),
          cotls::connect_options().alpn("h2", "http/1.1", "a-protocol-too-long-for-a-small-string")
              .verify_host("localhost").timeout(5s));
      BOOST_TEST(tls.info().alpn == "http/1.1");
      auto [failed, none] = co_await cotls::async_connect(
          "localhost", listener.port(), cotls::test::localhost_client(),
          cotls::connect_options().verify_host("another-host-name-of-some-length.example"),
          asio::as_tuple(asio::use_awaitable));
      BOOST_TEST(!!failed);
      co_await tls.async_write(
          std::array{asio::buffer("one", 3), asio::buffer("two", 3)}, asio::use_awaitable);
    }
    listener.close();
  };
  asio::co_spawn(context, accepting(), asio::detached);
  cotls::test::run(context, asking());
}

BOOST_AUTO_TEST_SUITE_END()
