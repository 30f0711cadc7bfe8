// The listener, and peers that mean it no good.

#include "print.hpp"
#include "tls.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/resource.h>

#include <optional>
#include <stdexcept>
#include <type_traits>
#include <vector>

namespace cotls::test::listener_test {

using namespace asio::experimental::awaitable_operators;

namespace {

struct fixture {
  asio::io_context context;

  listener make(listener_options const& options = listener_options()) {
    return listener(context.get_executor(), any_port(), localhost_server(), options);
  }

  asio::awaitable<tcp_stream> connect(listener const& to) {
    client_context const with = localhost_client();
    co_return co_await async_connect("127.0.0.1", to.port(), with);
  }

  // Runs until the condition holds.
  template <class Condition>
  void run_until(Condition holds) {
    auto const give_up = std::chrono::steady_clock::now() + 10s;
    context.restart();
    while (!holds() && std::chrono::steady_clock::now() < give_up) context.run_one_for(100ms);
    BOOST_REQUIRE(holds());
  }
};

// Lets the process have as many descriptors as it has, and no more.
class descriptor_limit {
 public:
  descriptor_limit() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    int const next = ::dup(0);
    ::close(next);
    rlimit const now{static_cast<rlim_t>(next), before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  ~descriptor_limit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(accepting, fixture)

BOOST_AUTO_TEST_CASE(a_silent_client_does_not_hold_up_the_others) {
  listener server = make();
  run(context, [&]() -> asio::awaitable<void> {
    std::vector<tcp::socket> silent;
    for (int i = 0; i < 20; ++i) {
      silent.emplace_back(context);
      co_await silent.back().async_connect(server.local_endpoint(), asio::use_awaitable);
    }
    std::optional<tcp_stream> accepted;
    server.async_accept([&](error_code code, tcp_stream made) {
      BOOST_TEST(!code);
      accepted = std::move(made);
    });
    tcp_stream client = co_await connect(server);
    co_await client.async_write(asio::buffer("x", 1));
    while (!accepted) co_await asio::post(asio::use_awaitable);
    char one = 0;
    co_await accepted->async_read_some(asio::buffer(&one, 1));
    BOOST_TEST(one == 'x');
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(a_silent_client_is_gone_after_the_deadline_and_the_observer_knows) {
  std::vector<accept_failure> failures;
  listener server = make(listener_options().handshake_timeout(50ms).observer(
      [&](accept_failure const& failure) { failures.push_back(failure); }));
  tcp::socket silent(context);
  silent.connect(server.local_endpoint());
  server.async_accept([](error_code, tcp_stream) {});
  run_until([&] { return !failures.empty(); });
  BOOST_TEST(failures[0].reason().code() == errc::handshake_timeout);
  BOOST_TEST((failures[0].peer() == silent.local_endpoint()));
  char one = 0;
  error_code code;
  silent.read_some(asio::buffer(&one, 1), code);
  BOOST_TEST(code == asio::error::eof);
}

BOOST_AUTO_TEST_CASE(handshakes_beyond_the_bound_wait_for_their_turn) {
  listener server = make(
      listener_options().max_handshakes(2).handshake_timeout(100ms).on_overload(overload::wait));
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 4; ++i) {
    silent.emplace_back(context);
    silent.back().connect(server.local_endpoint());
  }
  std::optional<tcp_stream> accepted;
  server.async_accept([&](error_code, tcp_stream made) { accepted = std::move(made); });
  std::optional<tcp_stream> client;
  auto const begin = std::chrono::steady_clock::now();
  asio::co_spawn(context, connect(server), [&](std::exception_ptr, tcp_stream made) {
    client = std::move(made);
  });
  run_until([&] { return accepted.has_value(); });
  // Two rounds of silent clients had to time out first.
  BOOST_TEST((std::chrono::steady_clock::now() - begin >= 190ms));
}

BOOST_AUTO_TEST_CASE(a_failed_handshake_does_not_end_the_loop) {
  std::vector<accept_failure> failures;
  listener server = make(listener_options().observer(
      [&](accept_failure const& failure) { failures.push_back(failure); }));
  run(context, [&]() -> asio::awaitable<void> {
    std::optional<tcp_stream> accepted;
    server.async_accept([&](error_code, tcp_stream made) { accepted = std::move(made); });
    tcp::socket plain(context);
    co_await plain.async_connect(server.local_endpoint(), asio::use_awaitable);
    co_await asio::async_write(plain, asio::buffer("GET / HTTP/1.0\r\n\r\n", 18),
                               asio::use_awaitable);
    tcp_stream const client = co_await connect(server);
    while (!accepted) co_await asio::post(asio::use_awaitable);
    server.close();
  }());
  BOOST_REQUIRE(failures.size() == 1u);
  BOOST_TEST(failures[0].reason().status() == status::ssl);
}

BOOST_AUTO_TEST_CASE(without_a_certificate_the_first_accept_says_so) {
  listener server(context.get_executor(), any_port(), server_context());
  error_code code;
  server.async_accept([&](error_code failed, tcp_stream) { code = failed; });
  run_for(context);
  BOOST_TEST(code == errc::no_certificate);
}

BOOST_AUTO_TEST_CASE(a_listeners_context_can_be_changed_until_the_first_accept) {
  listener server(context.get_executor(), any_port(), server_context());
  server.context().use(localhost_identity());
  server.async_accept([](error_code, tcp_stream) {});
  BOOST_CHECK_THROW(server.context().use(localhost_identity()), error);
  // There is no way past the seal: what would be assigned to is no part of the listener.
  static_assert(!std::is_assignable_v<decltype(server.context()), server_context>);
}

BOOST_AUTO_TEST_CASE(closing_ends_the_accepts_that_wait_and_handshakes_in_progress) {
  std::vector<error_code> codes;
  listener server = make();
  for (int i = 0; i < 3; ++i) {
    server.async_accept([&](error_code code, tcp_stream) { codes.push_back(code); });
  }
  tcp::socket silent(context);
  silent.connect(server.local_endpoint());
  context.restart();
  context.run_for(20ms);
  server.close();
  auto const begin = std::chrono::steady_clock::now();
  run_for(context);
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 5s));
  BOOST_TEST(codes.size() == 3u);
  for (auto const& code : codes) BOOST_TEST(code == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(a_replaced_context_serves_new_connections_and_leaves_old_ones_alone) {
  identity const next = make_self_signed({"127.0.0.1"});
  listener server = make();
  client_context const trusts_next = client_context().add_root(next.chain().leaf());
  run(context, [&]() -> asio::awaitable<void> {
    auto [old_server, old_client] = co_await (server.async_accept() && connect(server));
    server.replace_context(server_context().use(next));
    auto [new_server, new_client] =
        co_await (server.async_accept() && async_connect("127.0.0.1", server.port(), trusts_next));
    BOOST_TEST(new_client.peer().verified());
    co_await old_client.async_write(asio::buffer("x", 1));
    char one = 0;
    BOOST_TEST(co_await old_server.async_read_some(asio::buffer(&one, 1)) == 1u);
    BOOST_CHECK_THROW(server.replace_context(server_context()), error);
    auto [last_server, last_client] =
        co_await (server.async_accept() && async_connect("127.0.0.1", server.port(), trusts_next));
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(a_context_is_replaced_under_load_and_no_connection_is_dropped) {
  listener server = make();
  int accepted = 0;
  int connected = 0;
  auto accepting = [&]() -> asio::awaitable<void> {
    for (;;) {
      auto const [code, made] = co_await server.async_accept(as_result);
      if (code) co_return;
      ++accepted;
    }
  };
  auto connecting = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < 40; ++i) {
      co_await connect(server);
      ++connected;
      server.replace_context(localhost_server());
    }
  };
  auto all = [&]() -> asio::awaitable<void> {
    co_await (connecting() && connecting());
    co_await server.async_stop(5s);
  };
  spawn(context, accepting());
  run(context, all());
  BOOST_TEST(connected == 80);
  BOOST_TEST(accepted == 80);
}

BOOST_AUTO_TEST_CASE(stopping_lets_the_handshakes_in_progress_end) {
  listener server = make();
  run(context, [&]() -> asio::awaitable<void> {
    std::optional<tcp_stream> accepted;
    error_code waiting;
    server.async_accept([&](error_code, tcp_stream made) { accepted = std::move(made); });
    server.async_accept([&](error_code code, tcp_stream) { waiting = code; });
    tcp::socket socket(context);
    co_await socket.async_connect(server.local_endpoint(), asio::use_awaitable);
    // Accepted, and in its handshake, when the listener is stopped.
    for (int i = 0; i < 20; ++i) co_await asio::post(asio::use_awaitable);
    tcp_stream client(std::move(socket), localhost_client(), client_options().host("localhost"));
    co_await (server.async_stop(5s) && client.async_handshake(asio::use_awaitable));
    BOOST_TEST(accepted.has_value());
    co_await asio::post(asio::use_awaitable);
    BOOST_TEST(waiting == asio::error::operation_aborted);
    auto const [code, none] = co_await server.async_accept(as_result);
    BOOST_TEST(code == asio::error::operation_aborted);
  }());
}

BOOST_AUTO_TEST_CASE(stopping_cuts_off_what_is_in_progress_at_the_limit) {
  listener server = make();
  server.async_accept([](error_code, tcp_stream) {});
  tcp::socket silent(context);
  silent.connect(server.local_endpoint());
  context.restart();
  context.run_for(20ms);
  error_code stopped;
  server.async_stop(30ms, [&](error_code code) { stopped = code; });
  run_for(context);
  BOOST_TEST(stopped == asio::error::timed_out);
}

BOOST_AUTO_TEST_CASE(a_stream_that_was_handed_out_outlives_its_listener) {
  std::optional<listener> server(make());
  run(context, [&]() -> asio::awaitable<void> {
    std::optional<tcp_stream> accepted;
    server->async_accept([&](error_code, tcp_stream made) { accepted = std::move(made); });
    tcp_stream client = co_await connect(*server);
    while (!accepted) co_await asio::post(asio::use_awaitable);
    server.reset();
    co_await client.async_write(asio::buffer("x", 1));
    char one = 0;
    BOOST_TEST(co_await accepted->async_read_some(asio::buffer(&one, 1)) == 1u);
  }());
}

BOOST_AUTO_TEST_CASE(a_cancelled_accept_loses_no_connection) {
  listener server = make();
  asio::cancellation_signal signal;
  error_code cancelled;
  server.async_accept(asio::bind_cancellation_slot(
      signal.slot(), [&](error_code code, tcp_stream) { cancelled = code; }));
  context.restart();
  context.poll();
  signal.emit(asio::cancellation_type::terminal);
  run(context, [&]() -> asio::awaitable<void> {
    tcp_stream const client = co_await connect(server);
    tcp_stream const accepted = co_await server.async_accept();
    BOOST_TEST(static_cast<bool>(accepted));
    server.close();
  }());
  BOOST_TEST(cancelled == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(running_out_of_descriptors_delays_accepting_and_does_not_end_it) {
  std::vector<accept_failure> failures;
  listener server = make(listener_options().observer(
      [&](accept_failure const& failure) { failures.push_back(failure); }));
  std::optional<tcp_stream> accepted;
  server.async_accept([&](error_code code, tcp_stream made) {
    BOOST_TEST(!code);
    accepted = std::move(made);
  });
  tcp::socket client(context);
  client.open(tcp::v4());
  {
    descriptor_limit const none_left;
    client.connect(server.local_endpoint());
    run_until([&] { return !failures.empty(); });
    BOOST_TEST(failures[0].reason().code() == asio::error::no_descriptors);
  }
  tcp_stream tls(std::move(client), localhost_client(), client_options().host("localhost"));
  tls.async_handshake([](error_code code) { BOOST_TEST(!code); });
  run_until([&] { return accepted.has_value(); });
}

BOOST_AUTO_TEST_CASE(a_wait_for_the_end_can_be_cancelled_and_the_listener_ends_all_the_same) {
  listener server = make();
  error_code waiting;
  server.async_accept([&](error_code code, tcp_stream) { waiting = code; });
  tcp::socket silent(context);
  silent.connect(server.local_endpoint());
  context.restart();
  context.run_for(20ms);
  asio::cancellation_signal signal;
  std::optional<error_code> cancelled;
  server.async_stop(1h, asio::bind_cancellation_slot(
                            signal.slot(), [&](error_code code) { cancelled = code; }));
  std::optional<error_code> stopped;
  server.async_stop(1h, [&](error_code code) { stopped = code; });
  signal.emit(asio::cancellation_type::terminal);
  run_until([&] { return cancelled.has_value(); });
  BOOST_TEST(*cancelled == asio::error::operation_aborted);
  BOOST_TEST(!stopped.has_value());
  silent.close();
  run_until([&] { return stopped.has_value(); });
  BOOST_TEST(!*stopped);
  run_until([&] { return static_cast<bool>(waiting); });
  BOOST_TEST(waiting == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(an_observer_that_throws_keeps_nobody_out_and_is_told_once_of_each) {
  int told = 0;
  listener server = make(listener_options().max_handshakes(2).on_overload(overload::wait).observer(
      [&](accept_failure const&) {
        ++told;
        throw std::runtime_error("no room for another line");
      }));
  run(context, [&]() -> asio::awaitable<void> {
    std::optional<tcp_stream> accepted;
    server.async_accept([&](error_code, tcp_stream made) { accepted = std::move(made); });
    for (int i = 0; i < 5; ++i) {
      tcp::socket plain(context);
      co_await plain.async_connect(server.local_endpoint(), asio::use_awaitable);
      co_await asio::async_write(plain, asio::buffer("GET / HTTP/1.0\r\n\r\n", 18),
                                 asio::use_awaitable);
    }
    tcp_stream const client = co_await connect(server);
    while (!accepted) co_await asio::post(asio::use_awaitable);
    server.close();
  }());
  BOOST_TEST(told == 5);
}

BOOST_AUTO_TEST_CASE(accepted_streams_get_a_strand_each_or_the_executor_that_was_asked_for) {
  for (bool shared : {false, true}) {
    listener_options options;
    if (shared) options.stream_executor(context.get_executor());
    listener server = make(options);
    run(context, [&]() -> asio::awaitable<void> {
      auto const [accepted, client] = co_await (server.async_accept() && connect(server));
      BOOST_TEST((accepted.get_executor() == asio::any_io_executor(context.get_executor())) ==
                 shared);
      server.close();
    }());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::listener_test
