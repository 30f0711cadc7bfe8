// Addresses that race (RFC 8305): refused ones, good ones, and black holes.

#include "addresses.hpp"
#include "blocking/race.hpp"
#include "connect/address_race.hpp"
#include "connect/connect_race.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <cotls/detail/operation/deadline.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <ostream>
#include <thread>
#include <vector>

namespace cotls::test::connect_race_test {

using namespace asio::experimental::awaitable_operators;

namespace {

using clock = std::chrono::steady_clock;

constexpr clock::duration head_start = 50ms;
constexpr clock::duration never = clock::duration::max();

// A context whose own descriptors are open: it opens them for the first socket.
class ready_context : public asio::io_context {
 public:
  explicit ready_context(int threads = 1) : asio::io_context(threads) { tcp::socket first(*this); }
};

tcp::endpoint endpoint(char const* address, std::uint16_t port = 443) {
  return {asio::ip::make_address(address), port};
}

asio::awaitable<void> hold_while(asio::awaitable<tcp::socket> work, std::shared_ptr<int>) {
  co_await std::move(work);
}

struct result {
  error_code code;
  std::optional<tcp::endpoint> connected_to;
  clock::duration took{};
};

struct fixture {
  asio::io_context context;
  tcp::acceptor good{context, any_port()};
  tcp::acceptor other{context, any_port()};
  black_hole hole;

  asio::awaitable<tcp::socket> racing(std::vector<tcp::endpoint> addresses,
                                      clock::duration delay = head_start,
                                      clock::duration limit = 10s) {
    return detail::connect_to_first(context.get_executor(), std::move(addresses), delay,
                                    detail::moment_after(limit));
  }

  // Runs a race to its end, and sees that nothing of it stays open.
  result race(std::vector<tcp::endpoint> addresses, clock::duration delay = head_start,
              clock::duration limit = 10s) {
    result ended;
    auto const before = open_descriptors();
    auto const started = clock::now();
    auto racer = [&]() -> asio::awaitable<void> {
      try {
        auto work = racing(addresses, delay, limit);
        tcp::socket const made = co_await std::move(work);
        BOOST_TEST(open_descriptors() == before + 1);
        ended.connected_to = made.remote_endpoint();
      } catch (error const& failed) {
        BOOST_TEST(open_descriptors() == before);
        ended.code = failed.code();
      }
      ended.took = clock::now() - started;
    };
    run(context, racer());
    BOOST_TEST(open_descriptors() == before);
    return ended;
  }

  // The same, on the calling thread.
  result race_by_poll(std::vector<tcp::endpoint> const& addresses, clock::duration delay,
                      clock::duration limit) {
    result ended;
    auto const before = open_descriptors();
    auto const started = clock::now();
    try {
      auto const made = detail::connect_to_first(addresses, delay, detail::moment_after(limit));
      BOOST_TEST(open_descriptors() == before + 1);
      ended.connected_to = peer_of(made.get());
    } catch (error const& failed) {
      ended.code = failed.code();
    }
    ended.took = clock::now() - started;
    BOOST_TEST(open_descriptors() == before);
    return ended;
  }

  bool met(tcp::acceptor& server) {
    error_code code;
    server.non_blocking(true);
    server.accept(code);
    return !code;
  }

  // Until this many sockets more than before are open.
  void run_until_open(asio::io_context& in, std::ptrdiff_t count) {
    in.restart();
    auto const limit = clock::now() + 10s;
    while (open_descriptors() < count && clock::now() < limit) in.run_one_for(10ms);
    BOOST_REQUIRE(open_descriptors() == count);
  }
};

// One of the two races that there are.
struct way {
  char const* name;
  bool polls;

  result operator()(fixture& here, std::vector<tcp::endpoint> const& addresses,
                    clock::duration delay = head_start, clock::duration limit = 10s) const {
    return polls ? here.race_by_poll(addresses, delay, limit)
                 : here.race(addresses, delay, limit);
  }
};

std::ostream& operator<<(std::ostream& out, way const& one) { return out << one.name; }

auto const both_ways = boost::unit_test::data::make({way{"coroutine", false}, way{"poll", true}});

}  // namespace

BOOST_FIXTURE_TEST_SUITE(connect_race, fixture)

BOOST_AUTO_TEST_CASE(families_alternate_and_begin_with_the_first_addresses) {
  auto const six = [](std::uint16_t port) { return endpoint("::1", port); };
  auto const four = [](std::uint16_t port) { return endpoint("127.0.0.1", port); };
  using list = std::vector<tcp::endpoint>;
  BOOST_TEST((detail::interleaved({six(1), six(2), six(3), four(1), four(2)}) ==
              list{six(1), four(1), six(2), four(2), six(3)}));
  BOOST_TEST((detail::interleaved({four(1), six(1), six(2), six(3)}) ==
              list{four(1), six(1), six(2), six(3)}));
  BOOST_TEST((detail::interleaved({four(2), four(1)}) == list{four(2), four(1)}));
  BOOST_TEST((detail::interleaved({six(1), four(1)}) == list{six(1), four(1)}));
  BOOST_TEST(detail::interleaved({}).empty());
}

BOOST_AUTO_TEST_CASE(the_head_start_is_250_ms_and_never_below_10) {
  BOOST_TEST((connect_options().attempt_delay() == 250ms));
  BOOST_TEST((connect_options().attempt_delay(50ms).attempt_delay() == 50ms));
  BOOST_TEST((connect_options().attempt_delay(0ms).attempt_delay() == 10ms));
  BOOST_TEST((connect_options().attempt_delay(never).attempt_delay() == never));
}

BOOST_DATA_TEST_CASE(a_black_hole_costs_the_head_start_and_no_more, both_ways, run_race) {
  auto const ended = run_race(*this, {hole.address(), good.local_endpoint()});
  BOOST_REQUIRE(ended.connected_to.has_value());
  BOOST_TEST(*ended.connected_to == good.local_endpoint());
  BOOST_TEST((ended.took >= head_start));
  BOOST_TEST((ended.took < 500ms));
}

BOOST_DATA_TEST_CASE(each_black_hole_costs_one_head_start, both_ways, run_race) {
  black_hole const second;
  auto const ended = run_race(*this, {hole.address(), second.address(), good.local_endpoint()});
  BOOST_TEST(ended.connected_to.has_value());
  BOOST_TEST((ended.took >= 2 * head_start));
  BOOST_TEST((ended.took < 800ms));
}

BOOST_DATA_TEST_CASE(a_refused_address_gives_way_at_once, both_ways, run_race) {
  auto const ended = run_race(*this, {refusing(), refusing(), good.local_endpoint()}, 5s);
  BOOST_REQUIRE(ended.connected_to.has_value());
  BOOST_TEST(*ended.connected_to == good.local_endpoint());
  BOOST_TEST((ended.took < 1s));
}

BOOST_DATA_TEST_CASE(a_refusal_behind_a_black_hole_gives_way_at_once, both_ways, run_race) {
  auto const ended = run_race(*this, {hole.address(), refusing(), good.local_endpoint()}, 200ms);
  BOOST_TEST(ended.connected_to.has_value());
  BOOST_TEST((ended.took >= 200ms));
  BOOST_TEST((ended.took < 390ms));
}

BOOST_DATA_TEST_CASE(the_first_of_two_good_addresses_wins_and_the_other_hears_nothing,
                     both_ways, run_race) {
  auto const ended = run_race(*this, {good.local_endpoint(), other.local_endpoint()});
  BOOST_REQUIRE(ended.connected_to.has_value());
  BOOST_TEST(*ended.connected_to == good.local_endpoint());
  BOOST_TEST(met(good));
  BOOST_TEST(!met(other));
  BOOST_TEST((ended.took < head_start));
}

BOOST_DATA_TEST_CASE(refused_addresses_do_not_end_a_race_that_another_may_still_win,
                     both_ways, run_race) {
  auto const ended = run_race(*this, {hole.address(), refusing(), refusing()}, 10ms, 100ms);
  BOOST_TEST(ended.code == errc::connect_timeout);
  BOOST_TEST((ended.took >= 100ms));
}

// The two that wait for the system to repeat a SYN, after a second: all addresses have been tried,
// and what the first says decides.
BOOST_AUTO_TEST_CASE(an_address_that_has_had_its_head_start_may_still_win) {
  black_hole late;
  asio::steady_timer timer(context, 50ms);
  timer.async_wait([&](error_code) { late.drain(); });
  auto racer = [&]() -> asio::awaitable<void> {
    std::vector<tcp::endpoint> const addresses{late.address(), refusing(), hole.address()};
    auto work = racing(addresses, 10ms);
    tcp::socket const made = co_await std::move(work);
    BOOST_TEST(made.remote_endpoint() == late.address());
  };
  auto const started = clock::now();
  run(context, racer());
  BOOST_TEST((clock::now() - started < 5s));
}

BOOST_AUTO_TEST_CASE(a_race_ends_with_the_last_failure_and_not_at_the_deadline) {
  black_hole late;
  asio::steady_timer timer(context, 50ms);
  timer.async_wait([&](error_code) { late.close(); });
  auto racer = [&]() -> asio::awaitable<void> {
    std::vector<tcp::endpoint> const addresses{late.address(), refusing()};
    try {
      auto work = racing(addresses, 10ms);
      co_await std::move(work);
      BOOST_ERROR("connected to a closed port");
    } catch (error const& failed) {
      BOOST_TEST(failed.code() == asio::error::connection_refused);
    }
  };
  auto const started = clock::now();
  run(context, racer());
  BOOST_TEST((clock::now() - started < 5s));
}

BOOST_AUTO_TEST_CASE(the_winner_belongs_to_the_executor_it_was_asked_for) {
  auto const own = asio::make_strand(context);
  auto racer = [&]() -> asio::awaitable<void> {
    auto work = detail::connect_to_first(own, {good.local_endpoint()}, head_start,
                                         detail::moment_after(10s));
    tcp::socket made = co_await std::move(work);
    BOOST_TEST((made.get_executor() == own));
  };
  run(context, racer());
}

BOOST_DATA_TEST_CASE(when_all_refuse_the_failure_is_a_refusal, both_ways, run_race) {
  auto const ended = run_race(*this, {refusing(), refusing(), refusing()}, 5s);
  BOOST_TEST(ended.code == asio::error::connection_refused);
  BOOST_TEST((ended.took < 1s));
}

// The system itself says no, without a packet: TCP has no way to a broadcast address, and a
// link-local address without its interface is an invalid argument.
BOOST_DATA_TEST_CASE(a_refusal_tells_most_and_an_unreachable_network_least, both_ways, run_race) {
  tcp::endpoint const unreachable = endpoint("127.255.255.255");
  BOOST_TEST(run_race(*this, {unreachable}).code == asio::error::network_unreachable);
  BOOST_TEST(run_race(*this, {unreachable, refusing()}).code == asio::error::connection_refused);
  BOOST_TEST(run_race(*this, {refusing(), unreachable}).code == asio::error::connection_refused);
  if (!has_ipv6()) return;
  tcp::endpoint const invalid = endpoint("fe80::1");
  BOOST_TEST(run_race(*this, {refusing(), invalid}).code == asio::error::connection_refused);
  BOOST_TEST(run_race(*this, {invalid, unreachable}).code == asio::error::invalid_argument);
  BOOST_TEST(run_race(*this, {unreachable, invalid}).code == asio::error::invalid_argument);
}

BOOST_DATA_TEST_CASE(a_host_without_addresses_is_not_found, both_ways, run_race) {
  BOOST_TEST(run_race(*this, {}).code == asio::error::host_not_found);
}

BOOST_DATA_TEST_CASE(the_deadline_covers_all_attempts, both_ways, run_race) {
  black_hole const second;
  for (clock::duration const delay : {clock::duration(10ms), clock::duration(5s), never}) {
    auto const ended = run_race(*this, {hole.address(), second.address()}, delay, 60ms);
    BOOST_TEST(ended.code == errc::connect_timeout);
    BOOST_TEST((ended.took >= 60ms));
    BOOST_TEST((ended.took < 1s));
  }
}

BOOST_DATA_TEST_CASE(a_deadline_that_has_passed_tries_nothing, both_ways, run_race) {
  auto const ended = run_race(*this, {good.local_endpoint()}, head_start, 0ms);
  BOOST_TEST(ended.code == errc::connect_timeout);
  BOOST_TEST(!met(good));
}

BOOST_DATA_TEST_CASE(a_deadline_may_be_as_far_as_a_duration_can_say, both_ways, run_race) {
  auto const ended = run_race(*this, {hole.address(), good.local_endpoint()}, 10ms, never);
  BOOST_TEST(ended.connected_to.has_value());
  BOOST_TEST(run_race(*this, {good.local_endpoint()}, never, never).connected_to.has_value());
}

BOOST_AUTO_TEST_CASE(a_cancelled_race_leaves_nothing_open) {
  black_hole const second;
  auto const before = open_descriptors();
  asio::cancellation_signal signal;
  error_code code;
  asio::co_spawn(context,
                 hold_while(racing({hole.address(), second.address()}, 1ms), nullptr),
                 asio::bind_cancellation_slot(
                     signal.slot(), [&](std::exception_ptr const& thrown) {
                       try {
                         if (thrown) std::rethrow_exception(thrown);
                       } catch (boost::system::system_error const& failed) {
                         code = failed.code();
                       }
                     }));
  run_until_open(context, before + 2);
  signal.emit(asio::cancellation_type::terminal);
  auto const cancelled_at = clock::now();
  run_for(context);
  BOOST_TEST(code == asio::error::operation_aborted);
  BOOST_TEST(open_descriptors() == before);
  BOOST_TEST((clock::now() - cancelled_at < 1s));
}

BOOST_AUTO_TEST_CASE(a_race_that_loses_to_a_timer_leaves_nothing_open) {
  auto const before = open_descriptors();
  auto racer = [&]() -> asio::awaitable<void> {
    asio::steady_timer timer(context, 20ms);
    std::vector<tcp::endpoint> const addresses(1, hole.address());
    auto first = co_await (racing(addresses) || timer.async_wait(asio::use_awaitable));
    BOOST_TEST(first.index() == 1u);
    BOOST_TEST(open_descriptors() == before);
  };
  run(context, racer());
  BOOST_TEST(open_descriptors() == before);
}

// Of most use under AddressSanitizer and LeakSanitizer.
BOOST_AUTO_TEST_CASE(a_destroyed_context_takes_the_race_with_it) {
  black_hole const second;
  auto const before = open_descriptors();
  for (int attempts : {1, 2}) {
    auto inner = std::make_unique<ready_context>();
    auto const with_context = open_descriptors();
    auto alive = std::make_shared<int>();
    auto work = detail::connect_to_first(inner->get_executor(),
                                         {hole.address(), second.address()},
                                         attempts == 1 ? never : clock::duration(1ms),
                                         detail::moment_after(10s));
    asio::co_spawn(asio::make_strand(*inner), hold_while(std::move(work), alive), asio::detached);
    run_until_open(*inner, with_context + attempts);
    BOOST_TEST(alive.use_count() == 2);
    inner.reset();
    BOOST_TEST(alive.use_count() == 1);
    BOOST_TEST(open_descriptors() == before);
  }
}

BOOST_AUTO_TEST_CASE(a_context_destroyed_with_the_news_untold_takes_the_race_with_it) {
  for (int steps = 0; steps < 12; ++steps) {
    auto const before = open_descriptors();
    auto inner = std::make_unique<asio::io_context>();
    auto alive = std::make_shared<int>();
    auto work = detail::connect_to_first(
        inner->get_executor(), {refusing(), good.local_endpoint(), other.local_endpoint()}, 0ms,
        detail::moment_after(10s));
    asio::co_spawn(asio::make_strand(*inner), hold_while(std::move(work), alive), asio::detached);
    for (int i = 0; i < steps; ++i) inner->poll_one();
    inner.reset();
    BOOST_TEST(alive.use_count() == 1);
    BOOST_TEST(open_descriptors() == before);
  }
}

// With no head start all are tried at once, and several may connect before the race is over. Of
// most use under ThreadSanitizer: attempts end on any thread.
BOOST_AUTO_TEST_CASE(of_many_that_connect_together_one_is_kept) {
  ready_context wide(3);
  auto const before = open_descriptors();
  constexpr int races = 60;
  std::atomic<int> won = 0;
  std::vector<tcp::socket> kept;   // by one coroutine at a time: its strand is the only one
  auto racer = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < races; ++i) {
      auto work = detail::connect_to_first(
          wide.get_executor(), {refusing(), good.local_endpoint(), other.local_endpoint()}, 0ms,
          detail::moment_after(10s));
      kept.push_back(co_await std::move(work));
      ++won;
    }
  };
  asio::co_spawn(asio::make_strand(wide), racer(), asio::detached);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { wide.run_for(20s); });
  threads.clear();
  BOOST_TEST(won == races);
  BOOST_TEST(open_descriptors() == before + races);
}

BOOST_AUTO_TEST_CASE(either_family_stands_in_for_the_other) {
  if (!has_ipv6()) return;
  tcp::acceptor good6(context, any_port_of(tcp::v6()));
  black_hole const hole6(any_port_of(tcp::v6()));
  tcp::endpoint const four = good.local_endpoint();
  tcp::endpoint const six = good6.local_endpoint();

  auto const winner = [&](std::vector<tcp::endpoint> addresses) {
    return race(detail::interleaved(std::move(addresses))).connected_to.value();
  };
  BOOST_TEST(winner({hole6.address(), refusing(tcp::v6()), four}) == four);
  BOOST_TEST(winner({refusing(tcp::v6()), four}) == four);
  BOOST_TEST(winner({hole.address(), refusing(), six}) == six);
  BOOST_TEST(winner({six, four}) == six);
  BOOST_TEST(winner({four, six}) == four);
}

// By name, with a handshake: where the system has both families for it.
BOOST_AUTO_TEST_CASE(async_connect_by_name_passes_over_a_black_hole_of_the_other_family) {
  error_code failed;
  auto const addresses = tcp::resolver(context).resolve("localhost", "1", failed);
  auto const of = [&](tcp family) {
    return std::any_of(addresses.begin(), addresses.end(), [&](auto const& each) {
      return each.endpoint().protocol() == family;
    });
  };
  if (failed || !of(tcp::v4()) || !of(tcp::v6())) {
    BOOST_TEST_MESSAGE("skipped: localhost has not both families");
    return;
  }
  listener server(context.get_executor(), any_port(), localhost_server());
  auto const port = static_cast<std::uint16_t>(server.port());
  tcp first = addresses.begin()->endpoint().protocol();
  if (first == tcp::v4()) {
    BOOST_TEST_MESSAGE("skipped: localhost is IPv4 first");
    return;
  }
  black_hole const hole6({asio::ip::address_v6::loopback(), port});
  server.async_accept([&](error_code, tcp_stream) { server.close(); });
  auto const started = clock::now();
  auto connecting = [&]() -> asio::awaitable<void> {
    client_context const with = localhost_client();
    auto const stream = co_await async_connect("localhost", port, with,
                                               connect_options().attempt_delay(head_start));
    auto const took = clock::now() - started;
    BOOST_TEST((took >= head_start));
    BOOST_TEST((took < 1s));
  };
  run(context, connecting());
}

BOOST_AUTO_TEST_CASE(async_connect_to_a_black_hole_meets_its_deadline_and_can_be_cancelled) {
  int const port = hole.address().port();
  auto const before = open_descriptors();
  auto connecting = [&]() -> asio::awaitable<void> {
    client_context const with = localhost_client();
    auto late = async_connect("127.0.0.1", port, with, connect_options().timeout(50ms));
    try {
      co_await std::move(late);
      BOOST_ERROR("connected to a black hole");
    } catch (error const& thrown) {
      BOOST_TEST(thrown.code() == errc::connect_timeout);
      BOOST_TEST(std::string(thrown.what()).find(std::to_string(port)) != std::string::npos);
    }
    BOOST_TEST(open_descriptors() == before);
    asio::steady_timer timer(context, 20ms);
    auto const first = co_await (async_connect("127.0.0.1", port, with) ||
                                 timer.async_wait(asio::use_awaitable));
    BOOST_TEST(first.index() == 1u);
    BOOST_TEST(open_descriptors() == before);
  };
  run(context, connecting());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::connect_race_test
