// Signers that are waited for: by blocking calls, by listeners, by many handshakes at once, in many
// threads, and by a thousand that are given up.

#include "blocking.hpp"
#include "print.hpp"
#include "sanitized.hpp"
#include "signer_fixture.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/data/test_case.hpp>

#include <malloc.h>

#include <algorithm>
#include <future>
#include <memory>
#include <vector>

namespace cotls::test::signer_crowd_test {

using namespace signer_fixture;

BOOST_FIXTURE_TEST_SUITE(signers_in_crowds, fixture)

BOOST_DATA_TEST_CASE_F(fixture, blocking_calls_wait_on_their_own_thread, versions, version) {
  contexts const of(end::server, waiting(answer::signs, 3, counted), version);
  blocking::listener server(any_port(), of.server,
                            blocking::listen_options().accept_timeout(20s));
  auto serving = serve(server, [](blocking::stream& peer) { peer.write(asio::buffer("x", 1)); });
  blocking::stream client = blocking::connect("localhost", server.port(), of.client);
  std::array<char, 1> byte;
  BOOST_TEST(client.read_some(asio::buffer(byte)) == 1u);
  serving.get();
  BOOST_TEST(counted.asked == 1);

  tally clients;
  contexts const back(end::client, waiting(answer::signs, 3, clients), version);
  blocking::listener other(any_port(), back.server,
                           blocking::listen_options().accept_timeout(20s));
  auto also = serve(other, [](blocking::stream& peer) { peer.write(asio::buffer("x", 1)); });
  blocking::stream signing = blocking::connect("localhost", other.port(), back.client);
  BOOST_TEST(signing.read_some(asio::buffer(byte)) == 1u);
  also.get();
  BOOST_TEST(clients.asked == 1);
}

BOOST_AUTO_TEST_CASE(a_blocking_handshake_ends_at_its_deadline) {
  contexts const of(end::client, waiting(answer::never, 1, counted), protocol::tls1_3);
  blocking::listener server(any_port(), of.server,
                            blocking::listen_options().accept_timeout(20s));
  auto serving = std::async(std::launch::async, [&] {
    error_code code;
    server.accept(code);
  });
  BOOST_CHECK_EXCEPTION(blocking::connect("localhost", server.port(), of.client,
                                          connect_options().handshake_timeout(50ms)),
                        error, with_code(errc::handshake_timeout));
  server.close();
  serving.wait();
  BOOST_TEST(counted.alive == 0);
}

BOOST_AUTO_TEST_CASE(a_listener_serves_others_meanwhile_and_its_observer_hears_of_failures) {
  std::atomic<int> calls{0};
  contexts const of(
      end::server,
      [&](signature_request const& request) {
        bool const first = calls++ == 0;
        return answered(request, first ? answer::never : answer::signs, 1, counted);
      },
      protocol::tls1_3);
  std::vector<error> failures;
  listener server(context.get_executor(), any_port(), of.server,
                  listener_options()
                      .handshake_timeout(300ms)
                      .observer([&](accept_failure const& failure) {
                        failures.push_back(failure.reason());
                      }));
  int accepted = 0;
  int connected = 0;
  int refused = 0;
  for (int i = 0; i < 3; ++i) {
    async_connect(context.get_executor(), "localhost", server.port(), of.client,
                  connect_options(), [&](error_code code, tcp_stream) {
                    code ? ++refused : ++connected;
                  });
  }
  for (int i = 0; i < 2; ++i) {
    server.async_accept([&](error_code code, tcp_stream) { accepted += code ? 0 : 1; });
  }
  run_until([&] { return accepted == 2 && connected == 2; });
  BOOST_TEST(failures.empty());
  run_until([&] { return !failures.empty() && refused == 1; });
  BOOST_TEST((failures.front().code() == errc::handshake_timeout));
  server.close();
}

BOOST_AUTO_TEST_CASE(many_handshakes_wait_side_by_side) {
  contexts const of(
      end::server,
      [&](signature_request const& request) -> asio::awaitable<signer::signature> {
        living const here(counted);
        asio::steady_timer takes_long(co_await asio::this_coro::executor, 200ms);
        co_await takes_long.async_wait(asio::use_awaitable);
        co_return sign_with(far_key().key(), request, true);
      },
      protocol::tls1_3);
  auto const time_for = [&](int count) {
    std::vector<std::unique_ptr<pair>> all;
    int done = 0;
    int most = 0;
    for (int i = 0; i < count; ++i) {
      all.push_back(std::make_unique<pair>(context.get_executor(), of));
      for (local_stream* each : {&all.back()->client, &all.back()->server}) {
        each->async_handshake([&](error_code code) {
          BOOST_TEST(!code);
          ++done;
        });
      }
    }
    auto const begin = clock::now();
    run_until([&] {
      most = std::max(most, counted.alive.load());
      return done == 2 * count;
    });
    BOOST_TEST(most == count);
    return clock::now() - begin;
  };
  auto const alone = time_for(1);
  BOOST_TEST((time_for(64) < 16 * alone));
}

BOOST_AUTO_TEST_CASE(handshakes_go_on_in_whichever_thread_has_the_answer) {
  asio::thread_pool pool(4);
  contexts const of(
      end::server,
      [&](signature_request const& request) -> asio::awaitable<signer::signature> {
        for (int i = 0; i < 3; ++i) {
          co_await asio::post(pool, asio::bind_executor(pool, asio::use_awaitable));
        }
        co_return sign_with(far_key().key(), request, true);
      },
      protocol::secure);
  std::atomic<int> well{0};
  std::atomic<int> ended{0};
  std::promise<void> all_ended;
  {
    std::vector<std::unique_ptr<pair>> all;
    for (int i = 0; i < 40; ++i) {
      all.push_back(std::make_unique<pair>(pool.get_executor(), of));
      for (local_stream* each : {&all.back()->client, &all.back()->server}) {
        each->async_handshake([&](error_code code) {
          if (!code) ++well;
          if (++ended == 80) all_ended.set_value();
        });
      }
    }
    BOOST_REQUIRE((all_ended.get_future().wait_for(20s) == std::future_status::ready));
    pool.join();
  }
  BOOST_TEST(well == 80);
}

BOOST_AUTO_TEST_CASE(a_thousand_abandoned_ones_leave_nothing_behind) {
  contexts const of(end::server, waiting(answer::never, 1, counted), protocol::tls1_3);
  auto const abandon = [&](int times) {
    for (int i = 0; i < times; ++i) {
      pair both(context.get_executor(), of);
      auto const ended = std::make_shared<bool>(false);   // a handler may come after all of this
      both.server.async_handshake(
          asio::bind_cancellation_slot(cancel.slot(), [ended](error_code) { *ended = true; }));
      both.client.async_handshake([](error_code) {});
      run_until([&] { return counted.alive == 1; });
      if (i % 2 == 0) {
        cancel.emit(asio::cancellation_type::terminal);
        run_until([&] { return *ended; });
      }
    }
    settle();
    BOOST_TEST(counted.alive == 0);
  };
  abandon(50);
  std::size_t const before = ::mallinfo2().uordblks;
  abandon(1000);
  std::size_t const after = ::mallinfo2().uordblks;
  if (!sanitized) BOOST_TEST(after < before + 20'000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::signer_crowd_test
