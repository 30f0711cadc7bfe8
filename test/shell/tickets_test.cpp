// A server's session tickets, which nobody waits for (RFC 8446 section 4.6.1): neither a handshake
// nor a read waits for them to leave.

#include "memory_stream.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/read.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>

namespace cotls::test::tickets_test {

namespace {

constexpr std::size_t length = 1'000'000;

client_options to_localhost() { return client_options().host("localhost"); }

// A client that writes before it reads anything.
template <class Next>
asio::awaitable<void> write_then_read(stream<Next>& client, std::string& answer) {
  co_await client.async_handshake();
  std::string const text(length, 'x');
  co_await client.async_write(asio::buffer(text));
  answer.resize(4);
  co_await asio::async_read(client, asio::buffer(answer), asio::use_awaitable);
}

// A server that reads before it writes anything.
template <class Next>
asio::awaitable<void> read_then_write(stream<Next>& server) {
  co_await server.async_handshake();
  std::string text(length, '\0');
  co_await asio::async_read(server, asio::buffer(text), asio::use_awaitable);
  BOOST_TEST((text == std::string(length, 'x')));
  co_await server.async_write(asio::buffer("done", 4));
}

template <class Next>
void talk(asio::io_context& context, std::pair<Next, Next> ends, std::size_t tickets) {
  server_context served = localhost_server(protocol::tls1_3);
  served.set_session_tickets(tickets);
  stream<Next> client(std::move(ends.first), localhost_client(), to_localhost());
  stream<Next> server(std::move(ends.second), served);
  client.set_handshake_timeout(15s);
  server.set_handshake_timeout(15s);
  std::string answer;
  spawn(context, write_then_read(client, answer));
  spawn(context, read_then_write(server));
  run_for(context, 20s);
  BOOST_TEST(answer == "done");
}

auto const counts = boost::unit_test::data::make({1, 1000});

}  // namespace

BOOST_AUTO_TEST_SUITE(tickets)

BOOST_DATA_TEST_CASE(that_the_transport_does_not_take_hold_up_nobody, counts, count) {
  asio::io_context context;
  auto ends = memory_stream::make_pair(context.get_executor());
  ends.first.set_capacity(200);
  ends.second.set_capacity(200);
  talk(context, std::move(ends), static_cast<std::size_t>(count));
}

BOOST_DATA_TEST_CASE(that_a_socket_does_not_take_hold_up_nobody, counts, count) {
  using local_socket = asio::local::stream_protocol::socket;
  asio::io_context context;
  std::pair<local_socket, local_socket> ends{local_socket(context), local_socket(context)};
  asio::local::connect_pair(ends.first, ends.second);
  for (local_socket* each : {&ends.first, &ends.second}) {
    each->set_option(asio::socket_base::send_buffer_size(4608));
  }
  talk(context, std::move(ends), static_cast<std::size_t>(count));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::tickets_test
