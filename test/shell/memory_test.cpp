// Streams over transports that are no sockets: fragments, back pressure, TLS in TLS.

#include <cotls/detail/support/access.hpp>

#include "memory_stream.hpp"
#include "openssl.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace cotls::test::memory_test {

using namespace asio::experimental::awaitable_operators;

namespace {

client_options to_localhost() { return client_options().host("localhost"); }

template <class Client, class Server>
asio::awaitable<void> shake_hands(Client& client, Server& server) {
  co_await (client.async_handshake(asio::use_awaitable) &&
            server.async_handshake(asio::use_awaitable));
}

// Each sends the text to the other, then half-closes, reads the other's end, and shuts down.
template <class Stream>
asio::awaitable<void> exchange(Stream& stream, std::string const& text) {
  auto sending = [&]() -> asio::awaitable<void> {
    co_await stream.async_write(asio::buffer(text));
    co_await stream.async_close_write();
  };
  auto receiving = [&]() -> asio::awaitable<void> {
    auto const [code, got] = co_await read_to_end(stream);
    BOOST_TEST(code == asio::error::eof);
    BOOST_TEST((got == text));
  };
  co_await (sending() && receiving());
  co_await stream.async_shutdown();
}

template <class Client, class Server>
asio::awaitable<void> whole_connection(Client& client, Server& server, std::size_t size) {
  std::string const text = pattern(size);
  co_await shake_hands(client, server);
  co_await (exchange(client, text) && exchange(server, text));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(memory)

BOOST_DATA_TEST_CASE(a_connection_works_over_a_transport_of_small_pieces,
                     boost::unit_test::data::make({1, 5, 13, 64, 1024, 16384}) *
                         boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3}),
                     limit, version) {
  asio::io_context context;
  auto [left, right] = memory_stream::make_pair(context.get_executor());
  left.set_limit(static_cast<std::size_t>(limit));
  right.set_limit(static_cast<std::size_t>(limit));
  stream<memory_stream> client(std::move(left), localhost_client(version), to_localhost());
  stream<memory_stream> server(std::move(right), localhost_server(version));
  run(context, whole_connection(client, server, static_cast<std::size_t>(limit) * 300));
}

BOOST_AUTO_TEST_CASE(full_duplex_over_a_transport_that_holds_little_does_not_deadlock) {
  asio::io_context context;
  auto [left, right] = memory_stream::make_pair(context.get_executor());
  left.set_capacity(1000);
  right.set_capacity(1000);
  stream<memory_stream> client(std::move(left), localhost_client(), to_localhost());
  stream<memory_stream> server(std::move(right), localhost_server());
  run(context, whole_connection(client, server, 500'000));
}

BOOST_AUTO_TEST_CASE(a_stream_may_refer_to_a_transport_that_is_somebody_elses) {
  asio::io_context context;
  auto [left, right] = memory_stream::make_pair(context.get_executor());
  {
    stream<memory_stream&> client(left, localhost_client(), to_localhost());
    stream<memory_stream&> server(right, localhost_server());
    run(context, whole_connection(client, server, 100'000));
  }
  run(context, [&]() -> asio::awaitable<void> {
    co_await left.async_write_some(asio::buffer("plain", 5), asio::use_awaitable);
    std::string text(5, '\0');
    co_await right.async_read_some(asio::buffer(text), asio::use_awaitable);
    BOOST_TEST(text == "plain");
  }());
}

BOOST_AUTO_TEST_CASE(tls_runs_inside_tls) {
  asio::io_context context;
  tcp_pair outer(context);
  stream<tcp_stream> client(std::move(outer.client), localhost_client(), to_localhost());
  stream<tcp_stream> server(std::move(outer.server), localhost_server());
  run(context, whole_connection(client, server, 1'000'000));
}

BOOST_AUTO_TEST_CASE(a_unix_socket_is_a_native_transport) {
  using local = asio::local::stream_protocol;
  asio::io_context context;
  local::socket left(context);
  local::socket right(context);
  asio::local::connect_pair(left, right);
  static_assert(detail::is_native_socket<local::socket>::value);
  stream<local::socket> client(std::move(left), localhost_client(), to_localhost());
  stream<local::socket> server(std::move(right), localhost_server());
  run(context, whole_connection(client, server, 1'000'000));
}

BOOST_AUTO_TEST_CASE(a_read_goes_on_while_the_peer_takes_nothing) {
  // The reader owes tickets and an answer to the key update, which cannot leave: it must not stop
  // reading.
  asio::io_context context;
  auto [left, right] = memory_stream::make_pair(context.get_executor());
  memory_stream left_end = left;
  stream<memory_stream> client(std::move(left), localhost_client(), to_localhost());
  stream<memory_stream> server(std::move(right), localhost_server());
  run(context, shake_hands(client, server));
  left_end.set_capacity(0);
  server.next_layer().set_capacity(1'000'000);
  request_key_update(client.native_handle());
  run(context, [&]() -> asio::awaitable<void> {
    left_end.set_capacity(1'000'000);
    server.next_layer().set_capacity(0);   // nothing the server sends goes on its way
    co_await client.async_write(asio::buffer("one", 3));
    std::string text(3, '\0');
    co_await server.async_read_some(asio::buffer(text));
    BOOST_TEST(text == "one");
    auto second = server.async_read_some(asio::buffer(text), asio::use_awaitable);
    auto writing = client.async_write(asio::buffer("two", 3), asio::use_awaitable);
    co_await (std::move(second) && std::move(writing));
    BOOST_TEST(text == "two");
    BOOST_TEST(detail::access::core(server)->engine().unsent() > 0);
    server.next_layer().set_capacity(1'000'000);
    co_await server.async_write(asio::buffer("three", 5));
    std::string answer(5, '\0');
    co_await asio::async_read(client, asio::buffer(answer), asio::use_awaitable);
    BOOST_TEST(answer == "three");
  }());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::memory_test
