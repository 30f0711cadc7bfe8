// Two threads, one io_context: what holds without a strand, and what holds with one. Of most use
// under ThreadSanitizer.

#include "print.hpp"
#include "tls.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>

namespace cotls::test::threads_test {

using namespace asio::experimental::awaitable_operators;

namespace {

// Runs the context on two threads until it is done.
void run_on_two_threads(asio::io_context& context) {
  context.restart();
  std::thread other([&] { context.run_for(60s); });
  context.run_for(60s);
  other.join();
  BOOST_TEST(context.stopped());
}

struct fixture {
  asio::io_context context{2};
  std::atomic<int> failures{0};
  std::atomic<int> done{0};

  // A coroutine of one connection's: many small writes and reads, one at a time.
  template <class Target>
  void spawn(Target&& on, asio::awaitable<void> work) {
    asio::co_spawn(on, std::move(work), [this](std::exception_ptr thrown) {
      thrown ? ++failures : ++done;
    });
  }
};

asio::awaitable<void> echo(tcp_stream stream) {
  std::string text(2000, '\0');
  for (;;) {
    auto const [code, count] = co_await stream.async_read_some(asio::buffer(text), as_result);
    if (code) break;
    co_await stream.async_write(asio::buffer(text, count));
  }
  co_await stream.async_shutdown();
}

asio::awaitable<void> ask(std::uint16_t port, client_context with, int rounds) {
  tcp_stream stream = co_await async_connect("127.0.0.1", port, with);
  std::string const text = pattern(1500);
  std::string answer(text.size(), '\0');
  for (int i = 0; i < rounds; ++i) {
    co_await stream.async_write(asio::buffer(text));
    co_await asio::async_read(stream, asio::buffer(answer), asio::use_awaitable);
    if (answer != text) throw std::runtime_error("the answer is another");
  }
  co_await stream.async_shutdown();
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(threads, fixture)

BOOST_AUTO_TEST_CASE(lone_coroutines_need_no_strand) {
  constexpr int clients = 8;
  listener server(context.get_executor(), any_port(), localhost_server(),
                  listener_options().stream_executor(context.get_executor()));
  client_context const with = localhost_client();
  auto serving = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < clients; ++i) spawn(context, echo(co_await server.async_accept()));
    server.close();
  };
  spawn(context, serving());
  for (int i = 0; i < clients; ++i) spawn(context, ask(server.port(), with, 50));
  run_on_two_threads(context);
  BOOST_TEST(failures == 0);
  BOOST_TEST(done == 2 * clients + 1);
}

BOOST_AUTO_TEST_CASE(a_strand_carries_reads_and_writes_at_once) {
  constexpr int clients = 4;
  listener server(context.get_executor(), any_port(), localhost_server());
  client_context const with = localhost_client();
  std::string const text = pattern(600'000);
  auto both_ways = [&](tcp_stream stream) -> asio::awaitable<void> {
    std::string received(text.size(), '\0');
    co_await (stream.async_write(asio::buffer(text), asio::use_awaitable) &&
              asio::async_read(stream, asio::buffer(received), asio::use_awaitable));
    if (received != text) throw std::runtime_error("the text is another");
    co_await stream.async_shutdown();
  };
  auto serving = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < clients; ++i) {
      tcp_stream made = co_await server.async_accept();
      auto const executor = made.get_executor();
      spawn(executor, both_ways(std::move(made)));
    }
    server.close();
  };
  auto connecting = [&]() -> asio::awaitable<void> {
    tcp_stream made = co_await async_connect("127.0.0.1", server.port(), with);
    co_await both_ways(std::move(made));
  };
  spawn(context, serving());
  for (int i = 0; i < clients; ++i) spawn(asio::make_strand(context), connecting());
  run_on_two_threads(context);
  BOOST_TEST(failures == 0);
  BOOST_TEST(done == 2 * clients + 1);
}

BOOST_AUTO_TEST_CASE(a_deadline_that_fires_as_the_handshake_completes_is_no_race) {
  constexpr int clients = 150;
  listener server(context.get_executor(), any_port(), localhost_server(),
                  listener_options().stream_executor(context.get_executor()));
  client_context const with = localhost_client();
  std::atomic<int> connected{0};
  std::atomic<int> timed_out{0};
  std::atomic<int> wrong{0};
  auto accepting = [&]() -> asio::awaitable<void> {
    for (;;) {
      auto const [code, made] = co_await server.async_accept(as_result);
      if (code) co_return;
    }
  };
  auto connecting = [&](std::chrono::microseconds limit) -> asio::awaitable<void> {
    // No strand: the timer and the wait may end on different threads.
    tcp::socket socket(context);
    co_await socket.async_connect(server.local_endpoint(), asio::use_awaitable);
    tcp_stream tls(std::move(socket), with, client_options().host("localhost"));
    tls.set_handshake_timeout(limit);
    auto const [code] = co_await tls.async_handshake(as_result);
    if (!code) {
      ++connected;
    } else if (code == errc::handshake_timeout) {
      ++timed_out;
    } else {
      ++wrong;
    }
  };
  auto all = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < clients; ++i) {
      co_await (connecting(std::chrono::microseconds(400 + i * 25)) &&
                connecting(std::chrono::microseconds(800 + i * 25)));
    }
    server.close();
  };
  spawn(context, accepting());
  spawn(context, all());
  run_on_two_threads(context);
  BOOST_TEST(failures == 0);
  BOOST_TEST(wrong == 0);
  BOOST_TEST(connected + timed_out == 2 * clients);
}

// The handler that sends it runs beside a coroutine that has no strand.
BOOST_AUTO_TEST_CASE(a_last_flight_is_no_race_with_what_comes_after_it) {
  constexpr int clients = 4;
  constexpr int rounds = 40;
  std::atomic<int> refused{0};
  listener server(context.get_executor(), any_port(), localhost_server(),
                  listener_options().observer([&](accept_failure const&) { ++refused; }));
  client_context const with = localhost_client();
  auto serving = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < clients * rounds; ++i) co_await server.async_accept();
    server.close();
  };
  auto connecting = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < rounds; ++i) {
      tcp_stream made = co_await async_connect("127.0.0.1", server.port(), with);
      co_await asio::post(context, asio::use_awaitable);
      if (i % 4 == 0) co_await made.async_write(asio::buffer("x", 1));
      if (i % 4 == 1) made.next_layer().close();
      if (i % 4 == 2) std::move(made).split();
    }
  };
  spawn(context, serving());
  for (int i = 0; i < clients; ++i) spawn(context, connecting());
  run_on_two_threads(context);
  BOOST_TEST(failures == 0);
  BOOST_TEST(refused == 0);
  BOOST_TEST(done == clients + 1);
}

BOOST_AUTO_TEST_CASE(a_read_cancelled_as_its_wait_ends_has_taken_nothing) {
  tcp_pair pair(context);
  auto const strand = asio::make_strand(context);
  constexpr int rounds = 400;
  std::string received;
  auto reading = [&]() -> asio::awaitable<void> {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    char one = 0;
    while (received.size() < rounds) {
      timer.expires_after(std::chrono::microseconds(150));
      error_code code;
      std::size_t count = 0;
      auto read = [&]() -> asio::awaitable<void> {
        std::tie(code, count) =
            co_await pair.server.async_read_some(asio::buffer(&one, 1), as_result);
      };
      co_await (read() || timer.async_wait(asio::use_awaitable));
      if (count == 1) received.push_back(one);   // known here even where `||` drops the result
    }
  };
  auto writing = [&]() -> asio::awaitable<void> {
    asio::steady_timer timer(context);
    std::string const text = pattern(rounds);
    for (char const& each : text) {
      co_await pair.client.async_write(asio::buffer(&each, 1));
      timer.expires_after(std::chrono::microseconds(100));
      co_await timer.async_wait(asio::use_awaitable);
    }
  };
  spawn(strand, reading());
  spawn(context, writing());
  run_on_two_threads(context);
  BOOST_TEST(failures == 0);
  BOOST_TEST((received == pattern(rounds)));
}

BOOST_AUTO_TEST_CASE(one_context_serves_connections_of_several_threads) {
  asio::thread_pool pool(2);
  listener server(pool.get_executor(), any_port(), localhost_server());
  client_context const with = localhost_client();
  auto serving = [&]() -> asio::awaitable<void> {
    for (;;) {
      auto [code, made] = co_await server.async_accept(as_result);
      if (code) co_return;
      auto const executor = made.get_executor();
      spawn(executor, echo(std::move(made)));
    }
  };
  spawn(pool, serving());
  auto asking = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < 10; ++i) co_await ask(server.port(), with, 3);
  };
  auto both = [&]() -> asio::awaitable<void> {
    co_await (asking() && asking());
    server.close();
  };
  spawn(pool, both());
  pool.join();
  BOOST_TEST(failures == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::threads_test
