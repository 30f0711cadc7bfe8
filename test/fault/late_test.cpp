// What goes on between data: a look at it, new keys, and a client that is asked who it is. Each
// step, and bytes behind the handshake, meet every trouble.

#include "print.hpp"
#include "replay.hpp"
#include "tls.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace cotls::test::late_test {

namespace {

std::string_view text() {
  static std::string const made = pattern(100);
  return made;
}

// Each piece is looked at before it is read.
asio::awaitable<void> look_and_echo(lane& self) {
  co_await self.open();
  co_await self.peek(10);
  co_await self.read(text().size() / 2);
  co_await self.peek(1'000);
  co_await self.read(text().size() - text().size() / 2);
  co_await self.write(self.received());
  co_await self.shutdown();
}

asio::awaitable<void> ask(lane& self) {
  co_await self.open();
  co_await self.write(text());
  co_await self.read(text().size());
  co_await self.shutdown();
}

// The other end changes its key, too, before it answers.
asio::awaitable<void> change_keys(lane& self) {
  co_await self.open();
  co_await self.write(text().substr(0, 50));
  co_await self.update_key();
  co_await self.write(text().substr(50));
  co_await self.read(text().size());
  co_await self.shutdown();
}

asio::awaitable<void> change_keys_at_once(lane& self) {
  co_await self.open();
  co_await self.update_key();
  co_await self.update_key();
  co_await self.read(text().size());
  co_await self.write(self.received());
  co_await self.shutdown();
}

asio::awaitable<void> serve_the_known(lane& self) {
  co_await self.open();
  co_await self.read(text().size());
  co_await self.request_certificate();
  co_await self.write(self.received());
  co_await self.shutdown();
}

constexpr scenario looking{.name = "peek", .near = look_and_echo, .far = ask};
constexpr scenario changing_keys{.name = "key update", .near = change_keys,
                                 .far = change_keys_at_once};
constexpr scenario asking{.name = "late request", .near = serve_the_known, .far = ask,
                          .late = true};
constexpr scenario being_asked{.name = "late answer", .near = ask, .far = serve_the_known,
                               .late = true};

plan of(channel_kind channel, bool serves, std::size_t limit = 100) {
  return {.channel = channel, .version = protocol::tls1_3, .near_serves = serves, .limit = limit};
}

void replay_short(scenario const& what, channel_kind channel, bool serves) {
  replay_at_every_step(what, of(channel, serves, 100'000));
  replay_at_every_step(what, of(channel, serves));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(peeks_with_faults, *boost::unit_test::fixture<counted_runs>())

BOOST_DATA_TEST_CASE(what_was_looked_at_is_read_or_the_connection_ends_with_a_documented_error,
                     each_channel, channel) {
  replay_short(looking, channel, true);
  replay_at_every_byte_behind_the_handshake(looking, of(channel, true));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(key_updates_with_faults, *boost::unit_test::fixture<counted_runs>())

BOOST_DATA_TEST_CASE(keys_are_changed_or_the_connection_ends_with_a_documented_error,
                     each_channel, channel) {
  replay_short(changing_keys, channel, false);
  replay_at_every_byte_behind_the_handshake(changing_keys, of(channel, false));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(late_authentication_with_faults,
                      *boost::unit_test::fixture<counted_runs>())

BOOST_DATA_TEST_CASE(a_client_is_known_or_the_connection_ends_with_a_documented_error,
                     each_channel, channel) {
  replay_short(asking, channel, true);
  replay_short(being_asked, channel, false);
  // A certificate is long: that each of its bytes may be the last is the channel's own affair.
  if (channel == channel_kind::memory) {
    replay_at_every_byte_behind_the_handshake(asking, of(channel, true));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::late_test
