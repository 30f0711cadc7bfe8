// Both ends write and read at once, over a transport that takes little: writes wait, and what a
// write has left behind must find its way.

#include "print.hpp"
#include "replay.hpp"
#include "sanitized.hpp"
#include "tls.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace cotls::test::bulk_test {

namespace {

std::string_view text() {
  // Each run takes as many steps as there are runs: half of it takes a quarter of the time.
  static std::string const made = pattern(sanitized ? 75'000 : 150'000);
  return made;
}

asio::awaitable<void> send_all(lane& self) {
  co_await self.write(text());
  co_await self.close_write();
}

asio::awaitable<void> exchange(lane& self) {
  co_await self.open();
  self.beside(send_all);
  co_await self.read_to_end();
}

asio::awaitable<void> send_all_and_drop(lane& self) {
  co_await self.write(text());
  self.drop_writing();
}

// The near end's reader is there to the end, and takes along what the dropped half could not send:
// close_notify, for which the far end waits before it sends its own.
asio::awaitable<void> exchange_by_halves(lane& self) {
  co_await self.open();
  self.split();
  self.beside(send_all_and_drop);
  co_await self.read_to_end();
}

asio::awaitable<void> send_and_stay(lane& self) { return self.write(text()); }

asio::awaitable<void> exchange_and_close_last(lane& self) {
  co_await self.open();
  self.beside(send_and_stay);
  co_await self.read_to_end();
  co_await self.until_alone();
  co_await self.close_write();
}

constexpr scenario both_ways{.name = "bulk both ways", .near = exchange, .far = exchange,
                             .lanes = 2, .capacity = 20'000};
constexpr scenario by_halves{.name = "split", .near = exchange_by_halves,
                             .far = exchange_and_close_last, .lanes = 2, .capacity = 20'000};

void replay_long(scenario const& what, channel_kind channel, protocol version, bool serves) {
  replay_at_every_step(
      what,
      plan{.channel = channel, .version = version, .near_serves = serves, .limit = 10'000});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bulk_with_faults, *boost::unit_test::fixture<counted_runs>())

BOOST_DATA_TEST_CASE(bulk_both_ways_is_right_to_the_byte_or_ends_with_a_documented_error,
                     each_channel* each_version* each_role, channel, version, serves) {
  replay_long(both_ways, channel, version, serves);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(split_with_faults, *boost::unit_test::fixture<counted_runs>())

BOOST_DATA_TEST_CASE(halves_are_right_to_the_byte_or_end_with_a_documented_error,
                     each_channel* each_version* each_role, channel, version, serves) {
  replay_long(by_halves, channel, version, serves);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::bulk_test
