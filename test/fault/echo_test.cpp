// Short conversations: each of their steps and bytes behind the handshake meets every trouble.

#include "print.hpp"
#include "replay.hpp"
#include "tls.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace cotls::test::echo_test {

namespace {

std::string_view text() {
  static std::string const made = pattern(100);
  return made;
}

asio::awaitable<void> ask(lane& self) {
  co_await self.open();
  co_await self.write(text());
  co_await self.read(text().size());
  co_await self.shutdown();
}

asio::awaitable<void> echo(lane& self) {
  co_await self.open();
  co_await self.read(text().size());
  co_await self.write(self.received());
  co_await self.shutdown();
}

// The near end has no more to say, and hears the other out.
asio::awaitable<void> say_all_and_listen(lane& self) {
  co_await self.open();
  co_await self.write(text());
  co_await self.close_write();
  co_await self.read_to_end();
}

asio::awaitable<void> listen_and_answer(lane& self) {
  co_await self.open();
  co_await self.read_to_end();
  co_await self.write(self.received());
  co_await self.close_write();
}

// The near end shuts down while data is on its way to it.
asio::awaitable<void> leave(lane& self) {
  co_await self.open();
  co_await self.shutdown();
}

asio::awaitable<void> talk_on(lane& self) {
  co_await self.open();
  co_await self.write(text());
  co_await self.read_to_end();
  co_await self.shutdown();
}

constexpr scenario echoing{.name = "echo", .near = ask, .far = echo};
constexpr scenario half_closing{.name = "half-close", .near = say_all_and_listen,
                                .far = listen_and_answer};
constexpr scenario shutting_down{.name = "shutdown", .near = leave, .far = talk_on};

void replay_short(scenario const& what, channel_kind channel, protocol version, bool serves) {
  plan like{.channel = channel, .version = version, .near_serves = serves};
  replay_at_every_step(what, like);
  like.limit = 100;
  replay_at_every_step(what, like);
  if (!serves) replay_at_every_byte_behind_the_handshake(what, like);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(echo_with_faults, *boost::unit_test::fixture<counted_runs>())

BOOST_DATA_TEST_CASE(an_echo_is_right_to_the_byte_or_ends_with_a_documented_error,
                     each_channel* each_version* each_role, channel, version, serves) {
  replay_short(echoing, channel, version, serves);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(half_close_with_faults, *boost::unit_test::fixture<counted_runs>())

BOOST_DATA_TEST_CASE(a_half_closed_connection_is_heard_to_its_end_or_ends_with_a_documented_error,
                     each_channel* each_version* each_role, channel, version, serves) {
  replay_short(half_closing, channel, version, serves);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(shutdown_with_faults, *boost::unit_test::fixture<counted_runs>())

BOOST_DATA_TEST_CASE(a_shutdown_amid_data_ends_well_or_with_a_documented_error,
                     each_channel* each_version* each_role, channel, version, serves) {
  replay_short(shutting_down, channel, version, serves);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::echo_test
