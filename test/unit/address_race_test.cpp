// Which address is tried when: the race without a socket, by a clock that is moved by hand.

#include "connect/address_race.hpp"

#include "print.hpp"

#include <cotls/error.hpp>

#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

namespace cotls::test::address_race_test {

namespace asio = boost::asio;

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using turn = detail::address_race::turn;

constexpr auto head_start = 250ms;

struct fixture {
  clock::time_point now{1h};
  detail::address_race race{3, head_start, now + 10s};

  turn after(clock::duration passed) { return race.next(now += passed); }
  turn at_once() { return after(0ms); }

  // Starts the next one, which must be this one.
  bool starts(std::size_t attempt, clock::duration passed = 0ms) {
    return after(passed) == turn::start && race.latest() == attempt;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(address_race, fixture)

BOOST_AUTO_TEST_CASE(the_next_attempt_waits_for_the_head_start_of_the_latest) {
  BOOST_TEST(starts(0));
  BOOST_TEST((at_once() == turn::wait));
  BOOST_TEST((race.wait_ends() == now + head_start));
  BOOST_TEST((after(249ms) == turn::wait));
  BOOST_TEST(starts(1, 1ms));
  BOOST_TEST((at_once() == turn::wait));
}

BOOST_AUTO_TEST_CASE(a_failure_of_the_latest_costs_its_head_start_nothing) {
  BOOST_TEST(starts(0));
  race.ended(0, asio::error::connection_refused);
  BOOST_TEST(starts(1));
}

BOOST_AUTO_TEST_CASE(a_failure_of_an_earlier_one_does_not_shorten_the_head_start_of_the_latest) {
  BOOST_TEST(starts(0));
  BOOST_TEST(starts(1, head_start));
  race.ended(0, asio::error::connection_refused);
  BOOST_TEST((after(249ms) == turn::wait));
  BOOST_TEST(starts(2, 1ms));
}

BOOST_AUTO_TEST_CASE(whoever_connects_first_has_won_also_behind_the_deadline) {
  BOOST_TEST(starts(0));
  BOOST_TEST(starts(1, head_start));
  race.ended(0, {});
  race.ended(1, {});
  BOOST_TEST((after(20s) == turn::connected));
  BOOST_TEST(race.winner() == 0u);
}

BOOST_AUTO_TEST_CASE(the_last_ones_have_until_the_deadline) {
  auto const until = now + 10s;
  BOOST_TEST(starts(0));
  BOOST_TEST(starts(1, head_start));
  BOOST_TEST(starts(2, head_start));
  BOOST_TEST((at_once() == turn::wait));
  BOOST_TEST((race.wait_ends() == until));
  BOOST_TEST((after(9s) == turn::wait));
  BOOST_TEST((after(500ms) == turn::failed));
  BOOST_TEST(race.failure() == errc::connect_timeout);
}

BOOST_AUTO_TEST_CASE(when_all_have_failed_the_most_telling_failure_is_reported) {
  error_code const unreachable = asio::error::network_unreachable;
  error_code const slow = asio::error::timed_out;
  error_code const refused = asio::error::connection_refused;
  for (auto const& [first, second, third] :
       {std::tuple{refused, slow, unreachable}, {unreachable, refused, slow},
        {slow, unreachable, refused}}) {
    detail::address_race failing(3, head_start, now + 10s);
    for (error_code const& each : {first, second, third}) {
      BOOST_TEST((failing.next(now) == turn::start));
      failing.ended(failing.latest(), each);
    }
    BOOST_TEST((failing.next(now) == turn::failed));
    BOOST_TEST(failing.failure() == refused);
  }
}

BOOST_AUTO_TEST_CASE(without_an_address_the_host_was_not_found_and_without_time_none_is_tried) {
  detail::address_race none(0, head_start, now);
  BOOST_TEST((none.next(now) == turn::failed));
  BOOST_TEST(none.failure() == asio::error::host_not_found);
  detail::address_race late(2, head_start, now);
  BOOST_TEST((late.next(now) == turn::failed));
  BOOST_TEST(late.failure() == errc::connect_timeout);
}

BOOST_AUTO_TEST_CASE(a_head_start_without_end_is_none_at_all_for_the_next) {
  detail::address_race patient(2, clock::duration::max(), now + 10s);
  BOOST_TEST((patient.next(now) == turn::start));
  BOOST_TEST((patient.next(now + 9s) == turn::wait));
  patient.ended(0, asio::error::connection_refused);
  BOOST_TEST((patient.next(now + 9s) == turn::start));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::address_race_test
