// STARTTLS, from a greeting in the clear to a goodbye in the clear:
//
//   near                                   far
//   <- "ready"                             the client's "STARTTLS" and its hello may come in one
//   "STARTTLS" ->                          piece, of which TLS is given what is its own
//   TLS: handshake, echo, shutdown         both take the transport back
//   "bye" ->

#include "print.hpp"
#include "replay.hpp"
#include "tls.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace cotls::test::upgrade_test {

namespace {

std::string_view text() {
  static std::string const made = pattern(50);
  return made;
}

asio::awaitable<void> ask_for_tls(lane& self) {
  BOOST_TEST(co_await self.hear_line() == "ready\n");
  co_await self.say("STARTTLS\n");
  co_await self.open();
  co_await self.write(text());
  co_await self.read(text().size());
  co_await self.shutdown();
  self.release();
  co_await self.say("bye\n");
}

asio::awaitable<void> offer_tls(lane& self) {
  co_await self.say("ready\n");
  co_await self.until_the_other_opens();
  std::string const heard = co_await self.hear_line();
  std::size_t const line = heard.find('\n') + 1;
  BOOST_TEST(heard.substr(0, line) == "STARTTLS\n");
  self.give(std::string_view(heard).substr(line));
  co_await self.open();
  co_await self.read(text().size());
  co_await self.write(self.received());
  co_await self.shutdown();
  self.release();
  BOOST_TEST(co_await self.hear_line() == "bye\n");
}

constexpr scenario as_client{.name = "upgrade of a client", .near = ask_for_tls, .far = offer_tls,
                             .upgrades = true};
constexpr scenario as_server{.name = "upgrade of a server", .near = offer_tls, .far = ask_for_tls,
                             .upgrades = true};

void replay_upgrade(channel_kind channel, protocol version, std::size_t limit) {
  plan like{.channel = channel, .version = version, .limit = limit};
  replay_at_every_step(as_client, like);
  replay_at_every_byte(as_client, like);
  like.near_serves = true;
  replay_at_every_step(as_server, like);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(upgrade_with_faults, *boost::unit_test::fixture<counted_runs>())

BOOST_DATA_TEST_CASE(an_upgrade_gives_the_transport_back_or_ends_with_a_documented_error,
                     each_channel* each_version, channel, version) {
  replay_upgrade(channel, version, 1000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::upgrade_test
