// The last flight of a handshake, which leaves together with the first data, or by itself before
// anybody waits for it. What one `send` was is seen on the wire: a relay between two pairs of
// sockets that keep the bounds of messages.
//
//   client  <=>  relay: counts messages  <=>  server

#include "print.hpp"
#include "tls.hpp"

#include <cotls/detail/channel/native_channel.hpp>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/socket.h>

#include <array>
#include <memory>
#include <string_view>
#include <tuple>

namespace cotls::test::last_flight_test {

namespace {

using local_socket = asio::local::stream_protocol::socket;
using local_stream = stream<local_socket>;

std::pair<local_socket, local_socket> pair_of_sockets(asio::io_context& context) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw boost::system::system_error(errno, boost::system::system_category());
  }
  asio::local::stream_protocol const kind;
  return {local_socket(context, kind, ends[0]), local_socket(context, kind, ends[1])};
}

// Takes one message without waiting; empty when there is none.
std::string message(local_socket& from) {
  std::string text(64 * 1024, '\0');
  ssize_t const size = ::recv(from.native_handle(), text.data(), text.size(), MSG_DONTWAIT);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

class fixture {
 public:
  asio::io_context context;

 private:
  std::pair<local_socket, local_socket> clients_ = pair_of_sockets(context);
  std::pair<local_socket, local_socket> servers_ = pair_of_sockets(context);

 public:
  local_socket& beyond_client = clients_.second;
  local_socket& beyond_server = servers_.second;
  client_context with = localhost_client();
  server_context served = localhost_server();
  int from_client = 0;   // messages
  int from_server = 0;

  local_stream make_client() {
    return {std::move(clients_.first), with, client_options().host("localhost")};
  }
  local_stream make_server() { return {std::move(servers_.first), served}; }

  void relay() {
    spawn(context, relay(beyond_client, beyond_server, from_client));
    spawn(context, relay(beyond_server, beyond_client, from_server));
  }

  // Ends what would go on for ever.
  void close() {
    beyond_client.close();
    beyond_server.close();
  }

  // Shakes hands with a peer that does something else once it is done; returns how that ended.
  error_code handshake_beside(local_stream& busy, local_stream& waiting) {
    relay();
    asio::steady_timer elsewhere(context, asio::steady_timer::time_point::max());
    auto const busily = [&]() -> asio::awaitable<void> {
      co_await busy.async_handshake();
      co_await elsewhere.async_wait(as_result);
    };
    spawn(context, busily());
    error_code failed;
    run(context, [&]() -> asio::awaitable<void> {
      std::tie(failed) = co_await waiting.async_handshake(as_result);
      elsewhere.cancel();
      close();
    }());
    return failed;
  }

  // Lets a client go at the end of its handshake; returns the end that its server reads.
  template <class Leave>
  error_code end_of_a_client(Leave leave) {
    local_stream server = make_server();
    relay();
    auto const connecting = [&]() -> asio::awaitable<void> {
      local_stream client = make_client();
      co_await client.async_handshake();
      leave(std::move(client));
    };
    spawn(context, connecting());
    error_code end;
    run(context, [&]() -> asio::awaitable<void> {
      char one = 0;
      std::tie(end) = co_await server.async_handshake(as_result);
      if (!end) {
        std::tie(end, std::ignore) =
            co_await server.async_read_some(asio::buffer(&one, 1), as_result);
      }
      close();
    }());
    return end;
  }

 private:
  // From OpenSSL 3.2 on, a first record is read by its header (RFC 8446 section 5.1) and then its rest,
  // with read-ahead or without; what a reader leaves of a message is lost.
  static void deliver_first(std::string_view records, local_socket& to) {
    auto const send = [&](std::size_t size) {
      ::send(to.native_handle(), records.data(), size, MSG_NOSIGNAL);
      records.remove_prefix(size);
    };
    auto const byte = [&](std::size_t at) { return static_cast<unsigned char>(records[at]); };
    std::size_t const length = byte(3) * std::size_t{256} + byte(4);
    send(5);
    send(length);
    if (!records.empty()) send(records.size());
  }

  static asio::awaitable<void> relay(local_socket& from, local_socket& to, int& count) {
    for (;;) {
      auto const [failed] = co_await from.async_wait(local_socket::wait_read, as_result);
      if (failed) co_return;
      std::string const one = message(from);
      if (one.empty()) break;
      if (++count == 1) {
        deliver_first(one, to);
      } else {
        ::send(to.native_handle(), one.data(), one.size(), MSG_NOSIGNAL);
      }
    }
    error_code ignored;
    to.shutdown(local_socket::shutdown_send, ignored);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(last_flight, fixture)

BOOST_AUTO_TEST_CASE(both_leave_together_with_the_first_data) {
  local_stream client = make_client();
  local_stream server = make_server();
  relay();
  auto const serving = [&]() -> asio::awaitable<void> {
    char request = 0;
    co_await server.async_handshake();
    server.remote_endpoint();   // a look at the address lends nothing
    // A listener's streams begin their session elsewhere, a few handlers later.
    for (int i = 0; i < 10; ++i) co_await asio::post(asio::use_awaitable);
    co_await server.async_read_some(asio::buffer(&request, 1));
    co_await server.async_write(asio::buffer("b", 1));
  };
  spawn(context, serving());
  run(context, [&]() -> asio::awaitable<void> {
    char answer = 0;
    co_await client.async_handshake();
    client.local_endpoint();
    co_await client.async_write(asio::buffer("a", 1));
    BOOST_TEST(co_await client.async_read_some(asio::buffer(&answer, 1)) == 1u);
    BOOST_TEST(answer == 'b');
    close();
  }());
  BOOST_TEST(from_client == 2);   // the hello; finished and data
  BOOST_TEST(from_server == 2);   // its flight; a ticket and data
}

BOOST_AUTO_TEST_CASE(a_client_that_does_something_else_does_not_keep_its_server_waiting) {
  local_stream client = make_client();
  local_stream server = make_server();
  BOOST_TEST(!handshake_beside(client, server));
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_at_once_has_finished_its_handshake) {
  BOOST_TEST(end_of_a_client([](local_stream) {}) == errc::stream_truncated);
}

BOOST_AUTO_TEST_CASE(halves_that_go_at_once_have_finished_the_handshake) {
  BOOST_TEST(end_of_a_client([](local_stream client) { std::move(client).split(); }) ==
             asio::error::eof);
}

// From then on the socket may be closed at any moment, and its number be another's.
BOOST_AUTO_TEST_CASE(it_has_left_when_the_program_is_given_the_socket) {
  local_stream client = make_client();
  local_stream server = make_server();
  relay();
  auto const serving = [&]() -> asio::awaitable<void> {
    co_await server.async_handshake();
    close();
  };
  spawn(context, serving());
  run(context, [&]() -> asio::awaitable<void> {
    co_await client.async_handshake();
    BOOST_TEST(message(beyond_client).empty());
    client.next_layer();
    std::string const flight = message(beyond_client);
    BOOST_TEST(!flight.empty());
    ::send(beyond_server.native_handle(), flight.data(), flight.size(), MSG_NOSIGNAL);
  }());
}

BOOST_AUTO_TEST_CASE(it_does_not_wait_when_the_program_has_the_socket_already) {
  local_stream client = make_client();
  local_stream server = make_server();
  local_socket& socket = client.next_layer();
  relay();
  auto const serving = [&]() -> asio::awaitable<void> {
    auto const [failed] = co_await server.async_handshake(as_result);
    BOOST_TEST(!failed);
    close();
  };
  spawn(context, serving());
  run(context, [&]() -> asio::awaitable<void> {
    co_await client.async_handshake();
    socket.close();
  }());
  BOOST_TEST(from_client == 2);
}

BOOST_AUTO_TEST_CASE(it_does_not_wait_over_a_socket_that_is_the_programs) {
  std::pair<local_socket, local_socket> ends = pair_of_sockets(context);
  stream<local_socket&> client(ends.first, with, client_options().host("localhost"));
  stream<local_socket&> server(ends.second, served);
  auto const serving = [&]() -> asio::awaitable<void> {
    auto const [failed] = co_await server.async_handshake(as_result);
    BOOST_TEST(!failed);
  };
  spawn(context, serving());
  run(context, [&]() -> asio::awaitable<void> {
    co_await client.async_handshake();
    ends.first.close();
  }());
}

// Nobody waits for a ticket; but who reads answers long after is to have it by then.
BOOST_AUTO_TEST_CASE(tickets_leave_before_the_server_waits_for_a_request) {
  local_stream client = make_client();
  local_stream server = make_server();
  relay();
  auto const serving = [&]() -> asio::awaitable<void> {
    char request = 0;
    co_await server.async_handshake();
    co_await server.async_read_some(asio::buffer(&request, 1), as_result);
  };
  spawn(context, serving());
  run(context, [&]() -> asio::awaitable<void> {
    co_await client.async_handshake();
    while (from_server < 2) co_await asio::post(asio::use_awaitable);
    close();
  }());
  BOOST_TEST(from_server == 2);
}

// Its client waits for it (RFC 5246 section 7.3).
BOOST_AUTO_TEST_CASE(the_last_flight_of_a_server_of_tls_1_2_does_not_wait) {
  with = localhost_client(protocol::tls1_2);
  local_stream client = make_client();
  local_stream server = make_server();
  BOOST_TEST(!handshake_beside(server, client));
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

// A socket whose executor does nothing by itself: the test is the handler.
template <class Socket>
detail::socket_reference over(Socket& socket) {
  return {&socket, [](void* of) { return static_cast<Socket*>(of)->native_handle(); },
          [](void*, std::shared_ptr<detail::held_flight> const&) {}};
}

// A channel over a socket, and what OpenSSL would do with it.
struct over_a_socket : fixture {
  std::pair<local_socket, local_socket> ends = pair_of_sockets(context);
  std::unique_ptr<detail::native_channel> channel =
      std::make_unique<detail::native_channel>(over(ends.first));

  void hold(std::string_view flight, bool awaited = true) {
    detail::channel::use const use(*channel);
    channel->send(flight.data(), flight.size());
    channel->hold_flight(awaited);
  }

  void send(std::string_view text) {
    detail::channel::use const use(*channel);
    channel->send(text.data(), text.size());
  }

  std::string arrived() { return message(ends.second); }

  // Until the socket takes no more.
  int fill() {
    int sent = 0;
    while (::send(ends.first.native_handle(), "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1) ++sent;
    return sent;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(held_flight, over_a_socket)

BOOST_AUTO_TEST_CASE(it_is_sent_once_whoever_comes_first) {
  hold("finished");
  auto const flight = channel->flight();
  BOOST_TEST(arrived() == "");
  send("data");
  BOOST_TEST(arrived() == "finisheddata");
  flight->leave();
  BOOST_TEST(arrived() == "");

  hold("again");
  channel->flight()->leave();
  BOOST_TEST(arrived() == "again");
  send("data");
  BOOST_TEST(arrived() == "data");
}

BOOST_AUTO_TEST_CASE(it_counts_as_unsent_only_once_the_socket_has_refused_it) {
  hold("finished");
  BOOST_TEST(channel->unsent() == 0u);
  int const before = fill();
  channel->send_flight();
  BOOST_TEST(channel->unsent() == 8u);
  for (int i = 0; i < before; ++i) BOOST_TEST(arrived() == "x");
  send("data");
  BOOST_TEST(channel->unsent() == 0u);
  BOOST_TEST(arrived() == "finisheddata");
}

BOOST_AUTO_TEST_CASE(what_a_full_socket_has_refused_leaves_first_when_it_can) {
  hold("finished");
  int const before = fill();
  channel->flight()->leave();
  for (int i = 0; i < before; ++i) BOOST_TEST(arrived() == "x");
  BOOST_TEST(arrived() == "");
  send("data");
  BOOST_TEST(arrived() == "finisheddata");
}

// The system reports a reset to one call only: to the handler's, perhaps.
BOOST_AUTO_TEST_CASE(why_it_could_not_be_sent_is_known_to_the_connection) {
  tcp::acceptor accepts(context, any_port());
  tcp::socket ours(context);
  ours.connect(accepts.local_endpoint());
  tcp::socket theirs = accepts.accept();
  theirs.set_option(asio::socket_base::linger(true, 0));
  theirs.close();
  detail::native_channel reset(over(ours));
  {
    detail::channel::use const use(reset);
    reset.send("finished", 8);
    reset.hold_flight(true);
  }
  reset.flight()->leave();
  BOOST_TEST(!reset.send_error());
  reset.send_flight();
  BOOST_TEST(reset.send_error() == asio::error::connection_reset);
}

BOOST_AUTO_TEST_CASE(without_anybody_to_send_it_soon_it_leaves_as_ever) {
  channel->hold_no_awaited_flight();
  hold("finished");
  BOOST_TEST(arrived() == "finished");
  hold("tickets", false);   // for which nobody waits
  BOOST_TEST(arrived() == "");
}

BOOST_AUTO_TEST_CASE(it_leaves_with_its_channel_and_whoever_comes_later_touches_nothing) {
  hold("finished");
  auto const flight = channel->flight();
  channel.reset();
  BOOST_TEST(arrived() == "finished");
  flight->leave();
  BOOST_TEST(arrived() == "");
}

// After a fork another process may go on with the connection, and would send it, too.
BOOST_AUTO_TEST_CASE(one_that_nobody_waits_for_does_not_leave_with_its_channel) {
  hold("tickets", false);
  channel.reset();
  BOOST_TEST(arrived() == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::last_flight_test
