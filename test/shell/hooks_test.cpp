// Hooks that wait, over sockets: each driver has them answered, and takes them along when it gives
// up. (What they come to, in all cases: unit/hooks.)

#include "hooked.hpp"
#include "print.hpp"
#include "run.hpp"
#include "sanitized.hpp"
#include "tls.hpp"

#include <cotls/blocking.hpp>
#include <cotls/stream.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <malloc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace cotls::test::hooks_test {
namespace {

using namespace std::chrono_literals;
using local_socket = asio::local::stream_protocol::socket;
using local_stream = stream<local_socket>;

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});
auto const hooks = boost::unit_test::data::make(all_hooks);
auto const answers = boost::unit_test::data::make({says::yes, says::no, says::throws});

client_options server_test() { return client_options().host("server.test").port(443); }

std::pair<local_socket, local_socket> connected_sockets(asio::any_io_executor const& on) {
  local_socket one(on);
  local_socket other(on);
  asio::local::connect_pair(one, other);
  return {std::move(one), std::move(other)};
}

}  // namespace

// Two streams that know nothing of each other yet.
struct two_streams {
  two_streams(hooked const& used, asio::any_io_executor const& executor)
      : two_streams(used, connected_sockets(executor)) {}

  two_streams(hooked const& used, std::pair<local_socket, local_socket> sockets)
      : client(std::move(sockets.first), used.client, server_test()),
        server(std::move(sockets.second), used.server) {}

  local_stream& asked(asks which) { return is_clients(which) ? client : server; }
  local_stream& other(asks which) { return is_clients(which) ? server : client; }

  local_stream client;
  local_stream server;
};

namespace {

asio::awaitable<error_code> awaited(local_stream& of) {
  auto const [shaken] = co_await of.async_handshake(as_result);
  if (shaken) co_return shaken;
  std::array<char, 1> byte{'x'};
  auto const [written, size] = co_await of.async_write(asio::buffer(byte), as_result);
  if (written) co_return written;
  auto const [read, count] = co_await of.async_read_some(asio::buffer(byte), as_result);
  co_return read;
}

// The same by handlers that are called back.
void call_back(local_stream& of, std::function<void(error_code)> done) {
  of.async_handshake([&of, done](error_code shaken) {
    if (shaken) return done(shaken);
    of.async_write(asio::buffer("x", 1), [&of, done](error_code written, std::size_t) {
      if (written) return done(written);
      auto const byte = std::make_shared<char>();
      of.async_read_some(asio::buffer(byte.get(), 1),
                         [byte, done](error_code read, std::size_t) { done(read); });
    });
  });
}

// And on the calling thread. Reading leads the handshake here.
error_code blocked(blocking::stream& of) {
  error_code code;
  of.set_timeout(20s);
  of.write(asio::buffer("x", 1), code);
  char byte = 0;
  if (!code) of.read_some(asio::buffer(&byte, 1), code);
  return code;
}

void wait_for(asio::io_context& context, hook_count const& count) {
  for (int i = 0; i < 2'000 && count.running == 0; ++i) context.run_one_for(10ms);
  BOOST_REQUIRE(count.running == 1);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hooks_over_sockets)

BOOST_DATA_TEST_CASE(are_awaited, hooks* answers* versions, which, what, version) {
  hooked const used(which, takes_its_time::thrice, what, version);
  asio::io_context context;
  two_streams both(used, context.get_executor());
  both_ends ends;
  auto const take = [](error_code& into) {
    return [&into](std::exception_ptr, error_code code) { into = code; };
  };
  asio::co_spawn(context, awaited(both.client), take(ends.client));
  asio::co_spawn(context, awaited(both.server), take(ends.server));
  run_for(context);
  BOOST_TEST(ends == expected(which, what, version));
  BOOST_TEST(used.count->asked == 1);
}

BOOST_DATA_TEST_CASE(call_back_when_they_are_done, hooks* answers* versions, which, what, version) {
  hooked const used(which, takes_its_time::thrice, what, version);
  asio::io_context context;
  two_streams both(used, context.get_executor());
  both_ends ends;
  call_back(both.client, [&](error_code code) { ends.client = code; });
  call_back(both.server, [&](error_code code) { ends.server = code; });
  run_for(context);
  BOOST_TEST(ends == expected(which, what, version));
  BOOST_TEST(used.count->asked == 1);
}

BOOST_DATA_TEST_CASE(run_on_a_thread_that_blocks, hooks* answers* versions, which, what, version) {
  hooked const used(which, takes_its_time::thrice, what, version);
  asio::io_context context;
  auto sockets = connected_sockets(context.get_executor());
  blocking::stream client(sockets.first.release(), used.client, server_test());
  blocking::stream server(sockets.second.release(), used.server);
  both_ends ends;
  auto const serving = std::async(std::launch::async, [&] { ends.server = blocked(server); });
  ends.client = blocked(client);
  serving.wait();
  BOOST_TEST(ends == expected(which, what, version));
  BOOST_TEST(used.count->asked == 1);
}

BOOST_DATA_TEST_CASE(end_when_their_operation_is_cancelled, hooks* versions, which, version) {
  for (bool const awaits : {true, false}) {
    hooked const used(which, takes_its_time::never, says::yes, version);
    asio::io_context context;
    two_streams both(used, context.get_executor());
    asio::cancellation_signal stop;
    error_code ended;
    error_code others;
    call_back(both.other(which), [&](error_code code) { others = code; });
    if (awaits) {
      asio::co_spawn(context, awaited(both.asked(which)),
                     asio::bind_cancellation_slot(
                         stop.slot(), [&](std::exception_ptr, error_code code) { ended = code; }));
    } else {
      both.asked(which).async_handshake(asio::bind_cancellation_slot(
          stop.slot(), [&](error_code code) { ended = code; }));
    }
    wait_for(context, *used.count);
    stop.emit(asio::cancellation_type::terminal);
    for (int i = 0; i < 2'000 && (!ended || used.count->running > 0); ++i) context.run_one_for(10ms);
    BOOST_TEST(ended == asio::error::operation_aborted);
    BOOST_TEST(used.count->running == 0);   // the coroutine was destroyed, once
    both.asked(which).async_handshake([&](error_code code) { ended = code; });
    both.other(which).cancel();
    run_for(context);
    BOOST_TEST(ended == errc::answer_abandoned);
    BOOST_TEST(used.count->asked == 1);
    BOOST_TEST(others != error_code());
  }
}

BOOST_DATA_TEST_CASE(end_at_the_deadline, hooks* versions, which, version) {
  hooked const used(which, takes_its_time::never, says::yes, version);
  asio::io_context context;
  two_streams both(used, context.get_executor());
  both.asked(which).set_handshake_timeout(sanitized ? 2s : 300ms);
  error_code ended;
  error_code others;
  call_back(both.other(which), [&](error_code code) { others = code; });
  call_back(both.asked(which), [&ended, &others = both.other(which)](error_code code) {
    ended = code;
    others.cancel();
  });
  run_for(context);
  BOOST_TEST(ended == errc::handshake_timeout);
  BOOST_TEST(used.count->asked == 1);
  BOOST_TEST(used.count->running == 0);   // the coroutine was destroyed
  BOOST_TEST(others != error_code());
  both.asked(which).async_handshake([&](error_code code) { ended = code; });
  run_for(context);
  BOOST_TEST(ended == errc::handshake_timeout);
}

// Over and over again: nothing stays behind.
BOOST_DATA_TEST_CASE(leave_nothing_behind_when_they_are_abandoned, hooks, which) {
  hooked const used(which, takes_its_time::never, says::yes, protocol::tls1_3);
  asio::io_context context;
  auto const abandon_one = [&] {
    context.restart();
    two_streams both(used, context.get_executor());
    auto const ignore = [](error_code) {};
    call_back(both.asked(which), ignore);
    call_back(both.other(which), ignore);
    wait_for(context, *used.count);
    both.client = local_stream();
    both.server = local_stream();
    run_for(context);
    BOOST_REQUIRE(used.count->running == 0);
  };
  int const times = sanitized ? 20 : 500;
  for (int i = 0; i < times; ++i) abandon_one();
  std::size_t const before = mallinfo2().uordblks;
  for (int i = 0; i < times; ++i) abandon_one();
  std::size_t const after = mallinfo2().uordblks;
  if (!sanitized) BOOST_TEST(after < before + 64u * 1024u, after - before << " bytes more");
  BOOST_TEST(used.count->asked == 2 * times);
}

// A hook that goes on from another thread of the pool, and whose stream's operations do, too.
BOOST_DATA_TEST_CASE(may_go_on_from_another_thread, hooks* versions, which, version) {
  hooked const used(which, takes_its_time::thrice, says::yes, version);
  asio::thread_pool pool(3);
  constexpr int count = 16;
  std::atomic<int> good = 0;
  {
    std::vector<std::unique_ptr<two_streams>> all;
    std::vector<std::future<error_code>> ends;
    for (int i = 0; i < count; ++i) {
      all.push_back(std::make_unique<two_streams>(used, pool.get_executor()));
      ends.push_back(asio::co_spawn(pool, awaited(all.back()->client), asio::use_future));
      ends.push_back(asio::co_spawn(pool, awaited(all.back()->server), asio::use_future));
    }
    for (auto& each : ends) good += each.get() == error_code() ? 1 : 0;
    pool.join();
  }
  BOOST_TEST(good == 2 * count);
}

// No thread is blocked by those who wait: many take little longer than one.
BOOST_AUTO_TEST_CASE(wait_side_by_side_on_one_thread) {
  auto const slow = [](client_hello const&) -> asio::awaitable<hello_answer> {
    asio::steady_timer timer(co_await asio::this_coro::executor, 200ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return hello_answer();
  };
  hooked used(asks::established, takes_its_time::at_once, says::yes, protocol::tls1_3);
  used.server.on_client_hello(slow);
  auto const time_of = [&](int count) {
    asio::io_context context;
    std::vector<std::unique_ptr<two_streams>> all;
    int good = 0;
    auto const begun = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) {
      all.push_back(std::make_unique<two_streams>(used, context.get_executor()));
      call_back(all.back()->client, [&](error_code code) { good += code ? 0 : 1; });
      call_back(all.back()->server, [&](error_code code) { good += code ? 0 : 1; });
    }
    run_for(context);
    BOOST_TEST(good == 2 * count);
    return std::chrono::steady_clock::now() - begun;
  };
  auto const one = time_of(1);
  auto const many = time_of(64);
  BOOST_TEST((many < 16 * one), "64 take " << many / 1ms << " ms, one takes " << one / 1ms);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(hooks_of_a_listener)

BOOST_AUTO_TEST_CASE(are_told_where_the_client_is) {
  asio::io_context context;
  std::string heard;
  server_context server = localhost_server();
  server.on_client_hello([&](client_hello const& hello) -> asio::awaitable<hello_answer> {
    heard = hello.address;
    co_return hello_answer();
  });
  listener accepts(context.get_executor(), any_port(), server);
  run(context, [&]() -> asio::awaitable<void> {
    accepts.async_accept([](error_code, tcp_stream) {});
    auto const client =
        co_await async_connect("127.0.0.1", accepts.port(), localhost_client());
    BOOST_TEST(heard ==
               "127.0.0.1:" + std::to_string(client.next_layer().local_endpoint().port()));
    accepts.close();
  }());
}

// A hook that waits has a seat in the room of handshakes, and what it throws reaches the observer.
BOOST_AUTO_TEST_CASE(count_as_handshakes_and_fail_as_they_do) {
  asio::io_context context;
  int asked = 0;
  int at_once = 0;
  int most_at_once = 0;
  server_context server = localhost_server();
  server.on_client_hello([&](client_hello const&) -> asio::awaitable<hello_answer> {
    most_at_once = std::max(most_at_once, ++at_once);
    asio::steady_timer timer(co_await asio::this_coro::executor, 20ms);
    co_await timer.async_wait(asio::use_awaitable);
    --at_once;
    if (++asked == 1) throw std::runtime_error("the database is away");
    co_return hello_answer();
  });
  std::vector<std::string> failures;
  listener accepts(context.get_executor(), any_port(), server,
                   listener_options().max_handshakes(2).observer([&](accept_failure const& why) {
                     failures.push_back(why.reason().what());
                   }));
  constexpr int count = 6;
  int good = 0;
  int ended = 0;
  for (int i = 0; i < count; ++i) {
    async_connect(context.get_executor(), "127.0.0.1", accepts.port(), localhost_client(),
                  connect_options(), [&](error_code code, tcp_stream) {
                    good += code ? 0 : 1;
                    if (++ended == count) accepts.close();
                  });
  }
  std::function<void(error_code, tcp_stream)> const again = [&](error_code code, tcp_stream) {
    if (!code) accepts.async_accept(again);
  };
  accepts.async_accept(again);
  run_for(context);
  BOOST_TEST(good == count - 1);
  BOOST_TEST(most_at_once <= 2);
  BOOST_REQUIRE(failures.size() == 1u);
  BOOST_TEST(failures[0].find("(the database is away)") != std::string::npos, failures[0]);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::hooks_test
