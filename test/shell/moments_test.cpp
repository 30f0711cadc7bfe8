// Handles of connections, asked everything at every moment: all kinds answer alike.

#include "blocking.hpp"
#include "memory_stream.hpp"
#include "print.hpp"
#include "questions.hpp"
#include "ssl_streams.hpp"
#include "tls.hpp"

#include <boost/asio/local/connect_pair.hpp>
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/socket.h>

#include <array>
#include <future>
#include <optional>
#include <stdexcept>
#include <utility>

namespace cotls::test::moments_test {

namespace {

client_options to_localhost() { return client_options().host("localhost"); }

// Two ends of a connection that are driven by callbacks; a kind says how they are made.
template <class Handle>
class asynchronous {
 public:
  using handle_type = Handle;

  asio::io_context context;

 private:
  std::pair<Handle, Handle> made_;

 public:
  Handle client;
  Handle server;

  template <class Make>
  explicit asynchronous(Make make)
      : made_(make(context)), client(std::move(made_.first)), server(std::move(made_.second)) {}

  void shake_hands() {
    int done = 0;
    auto const noted = [&](error_code code) { done += code ? 0 : 1; };
    if constexpr (requires { client.async_handshake(Handle::client, noted); }) {
      client.async_handshake(Handle::client, noted);
      server.async_handshake(Handle::server, noted);
    } else {
      client.async_handshake(noted);
      server.async_handshake(noted);
    }
    run_for(context);
    BOOST_TEST_REQUIRE(done == 2);
  }

  void read_at_client() {
    client.async_read_some(asio::buffer(text), [](error_code, std::size_t) {});
    run_for(context);
  }

  void close_write_at_server() {
    server.async_close_write([](error_code) {});
    run_for(context);
  }

  void shut_down() {
    client.async_shutdown([](error_code) {});
    server.async_shutdown([](error_code) {});
    run_for(context);
  }

  std::array<char, 100> text{};
};

template <class Next>
std::pair<stream<Next>, stream<Next>> streams_over(std::pair<Next, Next> transports) {
  return {stream<Next>(std::move(transports.first), localhost_client(), to_localhost()),
          stream<Next>(std::move(transports.second), localhost_server())};
}

struct over_tcp : asynchronous<tcp_stream> {
  over_tcp() : asynchronous([](auto& io) { return streams_over(connected_sockets(io)); }) {}
};

struct over_unix : asynchronous<local_stream> {
  over_unix()
      : asynchronous([](auto& io) {
          asio::local::stream_protocol::socket near(io), far(io);
          asio::local::connect_pair(near, far);
          return streams_over(std::pair(std::move(near), std::move(far)));
        }) {}
};

struct over_memory : asynchronous<stream<memory_stream>> {
  over_memory()
      : asynchronous(
            [](auto& io) { return streams_over(memory_stream::make_pair(io.get_executor())); }) {}
};

struct drop_in : asynchronous<ssl_stream<tcp::socket>> {
  drop_in()
      : asynchronous([](auto& io) {
          asio::ssl::context at_near = localhost_ssl_client();
          asio::ssl::context at_far = localhost_ssl_server();
          auto [near, far] = connected_sockets(io);
          return std::pair(handle_type(std::move(near), at_near),
                           handle_type(std::move(far), at_far));
        }) {}
};

struct waiting {
  using handle_type = blocking::stream;

  blocking::stream client;
  blocking::stream server;
  std::array<char, 100> text{};

  waiting() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) {
      throw std::runtime_error("no pair of sockets");
    }
    client = blocking::stream(ends[0], localhost_client(), to_localhost());
    server = blocking::stream(ends[1], localhost_server());
  }

  void shake_hands() {
    auto serving = std::async(std::launch::async, [&] { server.handshake(); });
    client.handshake();
    serving.get();
  }

  void read_at_client() {
    error_code ignored;
    client.read_some(asio::buffer(text), ignored);
  }

  void close_write_at_server() { server.close_write(); }

  void shut_down() {
    auto serving = std::async(std::launch::async, [&] { server.shutdown(); });
    client.shutdown();
    serving.get();
  }
};

using kinds = boost::mpl::list<over_tcp, over_unix, over_memory, drop_in, waiting>;

answers nothing() { return {}; }
answers at_client(error_code last = {}) { return {false, true, true, "CN=localhost", last}; }
answers at_server(error_code last = {}) { return {false, true, false, "", last}; }

template <class Call>
void is_refused(Call call) {
  BOOST_TEST(thrown_by(call) == errc::not_connected);
}

// What an empty handle answers, whatever has made it so.
template <class Handle>
void check_empty(Handle& empty) {
  BOOST_TEST(ask(empty) == nothing_is_connected());
  empty.set_handshake_timeout(1s);
  empty.set_shutdown_timeout(1s);
  BOOST_TEST((empty.shutdown_timeout() == 1s));
  if constexpr (requires { empty.get_executor(); }) {
    is_refused([&] { empty.get_executor(); });
    is_refused([&] { empty.next_layer(); });
    is_refused([&] { empty.lowest_layer(); });
  }
  if constexpr (requires { empty.release(); }) {
    BOOST_TEST(!empty);
    is_refused([&] { empty.give_input(asio::buffer("x", 1)); });
    is_refused([&] { empty.tolerate_truncation(); });
    is_refused([&] { empty.set_read_ahead(false); });
    is_refused([&] { empty.set_alpn({"h2"}); });
    is_refused([&] { empty.release(); });
  }
  if constexpr (requires { empty.cancel(); }) empty.cancel();
  if constexpr (requires { empty.close(); }) empty.close();
  if constexpr (requires { empty.local_endpoint(); }) {
    is_refused([&] { empty.local_endpoint(); });
    is_refused([&] { empty.remote_endpoint(); });
  }
  if constexpr (requires { empty.set_verify_depth(1); }) {
    error_code code;
    BOOST_TEST(empty.set_verify_depth(1, code) == errc::not_connected);
    BOOST_TEST(empty.set_verify_mode(asio::ssl::verify_none, code) == errc::not_connected);
    auto const any = [](bool, asio::ssl::verify_context&) { return true; };
    BOOST_TEST(empty.set_verify_callback(any, code) == errc::not_connected);
    is_refused([&] { empty.set_verify_depth(1); });
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(handles)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_connection_is_known_from_its_beginning_to_its_end, Kind, kinds) {
  Kind ends;
  BOOST_TEST(ask(ends.client) == nothing());
  BOOST_TEST(ask(ends.server) == nothing());
  ends.shake_hands();
  BOOST_TEST(ask(ends.client) == at_client());
  BOOST_TEST(ask(ends.server) == at_server());
  ends.shut_down();
  BOOST_TEST(ask(ends.client) == at_client());
  BOOST_TEST(ask(ends.server) == at_server());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_connection_that_was_cut_is_still_known, Kind, kinds) {
  Kind ends;
  ends.shake_hands();
  {
    auto const gone = std::move(ends.server);
  }
  ends.read_at_client();
  BOOST_TEST(ask(ends.client) == at_client(errc::stream_truncated));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(half_a_connection_is_still_known, Kind, kinds) {
  Kind ends;
  ends.shake_hands();
  if constexpr (!std::is_same_v<Kind, drop_in>) {   // which cannot say so
    ends.close_write_at_server();
    ends.read_at_client();
    BOOST_TEST(ask(ends.client) == at_client(asio::error::eof));
    BOOST_TEST(ask(ends.server) == at_server());
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handle_that_was_moved_from_is_empty, Kind, kinds) {
  Kind ends;
  auto const fresh = std::move(ends.server);
  check_empty(ends.server);
  Kind others;
  others.shake_hands();
  auto moved = std::move(others.client);
  check_empty(others.client);
  BOOST_TEST(ask(moved) == at_client());
  others.client = std::move(moved);
  check_empty(moved);
  BOOST_TEST(ask(others.client) == at_client());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handle_that_was_released_is_empty, Kind, kinds) {
  Kind ends;
  if constexpr (requires { ends.client.release(); }) {
    typename Kind::handle_type made;
    check_empty(made);
    ends.client.set_read_ahead(false);
    ends.server.set_read_ahead(false);
    ends.shake_hands();
    BOOST_TEST(thrown_by([&] { ends.client.release(); }) == errc::not_over);
    ends.shut_down();
    auto released = ends.client.release();
    check_empty(ends.client);
    if constexpr (std::is_same_v<Kind, waiting>) ::close(released.first);
  }
}

BOOST_AUTO_TEST_CASE(a_stream_that_was_split_is_empty_and_so_are_halves_that_were_moved_from) {
  over_tcp ends;
  ends.shake_hands();
  auto [reading, writing] = std::move(ends.client).split();
  check_empty(ends.client);
  BOOST_TEST((reading.get_executor() == ends.context.get_executor()));
  BOOST_TEST(ask(reading) == at_client());
  BOOST_TEST(ask(writing) == at_client());
  auto const elsewhere = std::move(reading);
  auto const here = std::move(writing);
  is_refused([&] { reading.get_executor(); });
  is_refused([&] { writing.get_executor(); });
  BOOST_TEST(ask(reading) == nothing_is_connected());
  BOOST_TEST(ask(writing) == nothing_is_connected());
  BOOST_TEST(ask(elsewhere) == at_client());
  reading.cancel();
  writing.cancel();
  auto [of_nothing, to_nothing] = tcp_stream().split();
  is_refused([&] { of_nothing.get_executor(); });
  to_nothing.cancel();
}

BOOST_AUTO_TEST_CASE(a_listener_that_was_moved_from_is_empty) {
  asio::io_context context;
  listener made(context.get_executor(), any_port(), localhost_server());
  listener const elsewhere(std::move(made));
  is_refused([&] { made.get_executor(); });
  is_refused([&] { made.local_endpoint(); });
  is_refused([&] { made.port(); });
  is_refused([&] { made.native_handle(); });
  is_refused([&] { made.context(); });
  is_refused([&] { made.accept_ready(); });
  is_refused([&] { made.replace_context(localhost_server()); });
  is_refused([&] { made.reload_when_changed({}, [] { return localhost_server(); }); });
  made.close();
  run(context, [](listener& empty) -> asio::awaitable<void> {
    BOOST_CHECK_EXCEPTION(co_await empty.async_accept(), error, with_code(errc::not_connected));
  }(made));
}

BOOST_AUTO_TEST_CASE(an_incoming_connection_that_is_empty_says_so) {
  asio::io_context context;
  auto [near, far] = connected_sockets(context);
  tcp::endpoint const peer = near.local_endpoint();
  incoming made(std::move(far), peer, localhost_server());
  BOOST_TEST(!made.last_error().code());
  made.release();
  BOOST_TEST((made.get_executor() == context.get_executor()));
  BOOST_TEST(made.peer_endpoint() == peer);
  BOOST_TEST(!made.last_error().code());
  is_refused([&] { made.next_layer(); });
  is_refused([&] { made.local_endpoint(); });
  is_refused([&] { made.release(); });
  incoming const elsewhere(std::move(made));
  incoming never;
  is_refused([&] { never.get_executor(); });
  is_refused([&] { never.peer_endpoint(); });
  BOOST_TEST(never.last_error().code() == errc::not_connected);
  for (incoming* const empty : {&made, &never}) {
    BOOST_TEST(!*empty);
    is_refused([&] { empty->next_layer(); });
    is_refused([&] { empty->local_endpoint(); });
    is_refused([&] { empty->release(); });
    is_refused([&] { empty->refuse(alert::access_denied); });
  }
}

BOOST_AUTO_TEST_CASE(a_blocking_listener_that_was_moved_from_is_empty) {
  blocking::listener made(any_port(), localhost_server());
  std::uint16_t const port = made.port();
  blocking::listener elsewhere(std::move(made));
  BOOST_TEST(made.native_handle() == -1);
  is_refused([&] { made.accept(); });
  is_refused([&] { made.accept_ready(); });
  is_refused([&] { made.wait_ready(); });
  is_refused([&] { made.local_endpoint(); });
  is_refused([&] { made.port(); });
  error_code code;
  BOOST_TEST(!made.accept(code));
  BOOST_TEST(code == errc::not_connected);
  made.close();
  BOOST_TEST(made.context().native_handle() == elsewhere.context().native_handle());
  // What is moved to is closed first, with its port.
  blocking::listener other(any_port(), localhost_server());
  tcp::endpoint const freed = other.local_endpoint();
  other = std::move(elsewhere);
  BOOST_TEST(other.port() == port);
  blocking::listener const again(freed, localhost_server(),
                                 blocking::listen_options().reuse_address(false));
}

BOOST_AUTO_TEST_CASE(ports_that_are_closed_have_an_empty_connection) {
  blocking_pair pair;
  blocking::ports ports(std::move(pair.client));
  BOOST_TEST(ask(ports.in.connection()) == at_client());
  pair.server = blocking::stream();
  ports.out.close();
  BOOST_TEST(ask(ports.out.connection()) == at_client());
  ports.in.close();
  check_empty(ports.in.connection());
  BOOST_TEST(ports.in.get() == std::char_traits<char>::eof());
  BOOST_TEST(!(ports.out << 'x' << std::flush));
  BOOST_TEST(!ports.in.error().code());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::moments_test
