// Handshakes, and connects and accepts with theirs, which a peer's or a network's trouble meets at
// each step and at each byte.

#include "print.hpp"
#include "replay.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace cotls::test::connect_test {

namespace {

asio::awaitable<void> open(lane& self) { return self.open(); }

constexpr scenario connecting{.name = "connect", .near = open, .far = open,
                              .begins = beginning::connected};
constexpr scenario accepting{.name = "accept", .near = open, .far = open,
                             .begins = beginning::accepted};
constexpr scenario shaking_hands{.name = "handshake", .near = open, .far = open};

}  // namespace

BOOST_AUTO_TEST_SUITE(connect_and_accept_with_faults, *boost::unit_test::fixture<counted_runs>())

BOOST_DATA_TEST_CASE(a_connect_ends_well_or_with_a_documented_error, each_version, version) {
  plan const like{.channel = channel_kind::native, .version = version};
  replay_at_every_step(connecting, like);
  replay_at_every_byte(connecting, like);
}

BOOST_DATA_TEST_CASE(an_accept_ends_well_or_its_observer_is_told_why, each_version, version) {
  plan const like{.channel = channel_kind::native, .version = version, .near_serves = true};
  replay_at_every_step(accepting, like);
  replay_at_every_byte(accepting, like);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(handshake_with_faults, *boost::unit_test::fixture<counted_runs>())

BOOST_DATA_TEST_CASE(a_handshake_in_memory_ends_well_or_with_a_documented_error,
                     each_version* each_role, version, serves) {
  plan like{.version = version, .near_serves = serves};
  replay_at_every_byte(shaking_hands, like);
  replay_at_every_step(shaking_hands, like);
  like.limit = 100;
  replay_at_every_step(shaking_hands, like);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::connect_test
