// A listener and the connections it accepts, on two threads, without a strand of the user's. Of
// most use under ThreadSanitizer.

#include "pki.hpp"
#include "print.hpp"
#include "temporary_directory.hpp"
#include "tls.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

namespace cotls::test::listener_threads_test {

using namespace asio::experimental::awaitable_operators;

namespace {

struct fixture {
  asio::io_context context{2};
  std::atomic<int> failures{0};
  std::atomic<int> done{0};

  void start(asio::awaitable<void> work) { start(context.get_executor(), std::move(work)); }

  // In a strand, as Asio asks for operations that cancel each other.
  void start_alone(asio::awaitable<void> work) {
    start(asio::make_strand(context), std::move(work));
  }

  void start(asio::any_io_executor on, asio::awaitable<void> work) {
    asio::co_spawn(on, std::move(work),
                   [this](std::exception_ptr thrown) { thrown ? ++failures : ++done; });
  }

  void run_on_two_threads() {
    std::thread other([&] { context.run_for(60s); });
    context.run_for(60s);
    other.join();
    BOOST_TEST(context.stopped());
    BOOST_TEST(failures == 0);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listener_threads, fixture)

BOOST_AUTO_TEST_CASE(both_kinds_of_accept_and_those_who_wait_for_readiness_share_a_listener) {
  constexpr int clients = 40;
  listener server(context.get_executor(), any_port(), localhost_server());
  client_context const with = localhost_client();
  server_context const other = localhost_server();
  std::atomic<int> served{0};
  std::atomic<int> connected{0};
  auto serve = [&](tcp_stream made) -> asio::awaitable<void> {
    co_await made.async_write(asio::buffer("x", 1));
    if (++served == clients) server.close();
    co_await made.async_shutdown(as_result);
  };
  auto choose = [&](incoming accepted) -> asio::awaitable<void> {
    co_await accepted.async_client_hello();
    co_await serve(co_await accepted.async_handshake(other));
  };
  auto accepting = [&]() -> asio::awaitable<void> {
    for (;;) {
      auto [code, made] = co_await server.async_accept(as_result);
      if (code) co_return;
      start(serve(std::move(made)));
    }
  };
  auto choosing = [&]() -> asio::awaitable<void> {
    for (;;) {
      auto [code, made] = co_await server.async_accept_incoming(as_result);
      if (code) co_return;
      start(choose(std::move(made)));
    }
  };
  auto looking = [&]() -> asio::awaitable<void> {
    for (;;) {
      auto const [code] = co_await server.async_wait_ready(as_result);
      if (code) co_return;
      co_await asio::post(asio::use_awaitable);
    }
  };
  auto connecting = [&]() -> asio::awaitable<void> {
    tcp_stream made = co_await async_connect("127.0.0.1", server.port(), with);
    char one = 0;
    co_await made.async_read_some(asio::buffer(&one, 1));
    ++connected;
    co_await made.async_shutdown(as_result);
  };
  start(accepting());
  start(choosing());
  start(looking());
  for (int i = 0; i < clients; ++i) start(connecting());
  run_on_two_threads();
  BOOST_TEST(connected == clients);
}

BOOST_AUTO_TEST_CASE(handshakes_that_give_way_as_they_are_done_are_no_race) {
  constexpr int clients = 150;
  std::atomic<int> displaced{0};
  std::atomic<int> others{0};
  listener server(context.get_executor(), any_port(), localhost_server(),
                  listener_options()
                      .max_handshakes(2)
                      .on_overload(overload::drop_oldest)
                      .observer([&](accept_failure const& failure) {
                        failure.reason().code() == errc::displaced ? ++displaced : ++others;
                      }));
  client_context const with = localhost_client();
  std::atomic<int> accepted{0};
  std::atomic<int> connected{0};
  std::atomic<int> ended{0};
  auto accepting = [&]() -> asio::awaitable<void> {
    for (;;) {
      auto [code, made] = co_await server.async_accept(as_result);
      if (code) co_return;
      if (!made) throw std::runtime_error("the stream is empty");   // Boost.Test takes one thread
      ++accepted;
    }
  };
  auto connecting = [&]() -> asio::awaitable<void> {
    auto const [code, made] = co_await async_connect("127.0.0.1", server.port(), with,
                                                     connect_options(), as_result);
    if (!code) ++connected;
    if (++ended == clients) co_await server.async_stop(5s, as_result);
  };
  start(accepting());
  for (int i = 0; i < clients; ++i) start(connecting());
  run_on_two_threads();
  BOOST_TEST(accepted > 0);
  // Each that came is accounted for once.
  BOOST_TEST(accepted + displaced + others == clients);
}

BOOST_AUTO_TEST_CASE(stopping_completes_when_the_observer_was_told_of_those_that_gave_way) {
  std::promise<void> stopped;
  std::future<void> const is_stopped = stopped.get_future();
  std::atomic<bool> told{false};
  std::atomic<bool> too_early{false};
  listener server(context.get_executor(), any_port(), localhost_server(),
                  listener_options()
                      .max_handshakes(1)
                      .on_overload(overload::drop_oldest)
                      .observer([&](accept_failure const& failure) {
                        if (failure.reason().code() != errc::displaced) return;
                        told = true;
                        // This thread is held up; the other goes on.
                        too_early = is_stopped.wait_for(200ms) == std::future_status::ready;
                      }));
  server.async_accept([](error_code, tcp_stream) {});
  auto stopping = [&]() -> asio::awaitable<void> {
    std::vector<tcp::socket> silent;
    for (int i = 0; i < 2; ++i) {
      silent.emplace_back(context);
      co_await silent.back().async_connect(server.local_endpoint(), asio::use_awaitable);
    }
    while (!told) co_await asio::post(asio::use_awaitable);
    silent.clear();
    co_await server.async_stop(10s);
    stopped.set_value();
  };
  start(stopping());
  run_on_two_threads();
  BOOST_TEST(told.load());
  BOOST_TEST(!too_early);
}

BOOST_AUTO_TEST_CASE(a_hello_whose_deadline_and_cancellation_meet_its_end_is_no_race) {
  constexpr int clients = 100;
  listener server(context.get_executor(), any_port(), localhost_server(),
                  listener_options().handshake_timeout(2ms));
  client_context const with = localhost_client();
  std::atomic<int> counted{0};
  auto choose = [&](incoming accepted, int number) -> asio::awaitable<void> {
    asio::steady_timer timer(context, std::chrono::microseconds(500 + number * 30));
    co_await (accepted.async_client_hello(as_result) || timer.async_wait(as_result));
    co_await accepted.async_handshake(as_result);
    if (++counted == clients) server.close();
  };
  auto choosing = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < clients; ++i) {
      start_alone(choose(co_await server.async_accept_incoming(), i));
    }
  };
  auto connecting = [&]() -> asio::awaitable<void> {
    co_await async_connect("127.0.0.1", server.port(), with, connect_options(), as_result);
  };
  start(choosing());
  for (int i = 0; i < clients; ++i) start(connecting());
  run_on_two_threads();
  BOOST_TEST(counted == clients);
}

BOOST_AUTO_TEST_CASE(a_listener_may_be_asked_while_another_thread_closes_it) {
  for (int i = 0; i < 20; ++i) {
    listener server(context.get_executor(), any_port(), localhost_server());
    server.async_accept([](error_code, tcp_stream) {});
    std::thread asking([&] {
      for (int asked = 0; asked < 200; ++asked) {
        try {
          static_cast<void>(server.native_handle());
          static_cast<void>(server.context().sealed());
          static_cast<void>(server.port());
        } catch (boost::system::system_error const& closed) {
          BOOST_TEST(closed.code() == asio::error::bad_descriptor);
          break;
        }
      }
    });
    server.replace_context(localhost_server());
    server.close();
    asking.join();
    BOOST_TEST(server.native_handle() == -1);
  }
  run_on_two_threads();
}

BOOST_AUTO_TEST_CASE(files_are_reloaded_beside_accepts_and_the_end_of_the_listener) {
  temporary_directory const directory;
  authority const root("Test Root");
  auto const write = [&] {
    issued const next = root.issue(certificate_request({"localhost", "127.0.0.1"}));
    directory.write("chain.pem", next.chain());
    directory.write("key.pem", next.key);
  };
  write();
  auto const chain = directory.path() / "chain.pem";
  auto const key = directory.path() / "key.pem";
  listener server(context.get_executor(), any_port(), protocol::secure);
  std::atomic<int> loaded{0};
  server.reload_when_changed(
      {chain, key},
      [&] {
        ++loaded;
        return server_context().load_certificate_chain(chain).load_private_key(key);
      },
      reload_options().interval(1ms));
  client_context const with = client_context().add_root(root.certificate());
  auto accepting = [&]() -> asio::awaitable<void> {
    for (;;) {
      auto const [code, made] = co_await server.async_accept(as_result);
      if (code) co_return;
    }
  };
  auto connecting = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < 30 || loaded < 5; ++i) {
      tcp_stream const made = co_await async_connect("127.0.0.1", server.port(), with);
      write();
    }
    server.close();
  };
  start(accepting());
  start(connecting());
  run_on_two_threads();
  BOOST_TEST(loaded >= 5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::listener_threads_test
