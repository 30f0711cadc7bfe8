// The protocols of one connection, by each handle that has a connection before its handshake.

#include "blocking.hpp"
#include "print.hpp"
#include "ssl_streams.hpp"
#include "tls.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/socket.h>

#include <array>
#include <future>

namespace cotls::test::alpn_test {

namespace {

client_options offering() { return client_options().host("localhost").alpn("h2", "http/1.1"); }

}  // namespace

BOOST_AUTO_TEST_SUITE(alpn_of_one_connection)

BOOST_AUTO_TEST_CASE(a_stream_chooses_from_its_own_list) {
  using namespace asio::experimental::awaitable_operators;
  asio::io_context context;
  for (bool const own : {false, true}) {
    auto [near, far] = connected_sockets(context);
    tcp_stream client(std::move(near), localhost_client(), offering());
    tcp_stream server(std::move(far), localhost_server().set_alpn({"h2"}));
    if (own) server.set_alpn({"http/1.1"});
    run(context, [&]() -> asio::awaitable<void> {
      co_await (client.async_handshake() && server.async_handshake());
    }());
    BOOST_TEST(client.info().alpn == (own ? "http/1.1" : "h2"));
    BOOST_TEST(server.info().alpn == client.info().alpn);
  }
}

BOOST_AUTO_TEST_CASE(so_does_one_on_the_calling_thread) {
  for (bool const proceeds : {false, true}) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
    blocking::stream client(ends[0], localhost_client(), offering());
    blocking::stream server(ends[1], localhost_server());
    client.set_alpn({"h2"});
    server.set_alpn({"http/1.1"}, proceeds ? alpn_mismatch::proceed : alpn_mismatch::refuse);
    error_code at_server;
    auto serving = std::async(std::launch::async, [&] { server.handshake(at_server); });
    error_code at_client;
    client.handshake(at_client);
    serving.get();
    BOOST_TEST(!at_server == proceeds);
    if (!proceeds) BOOST_TEST(at_client == alert::no_application_protocol);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::alpn_test
