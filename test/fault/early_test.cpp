// Early data: each step of a handshake that carries it, and each byte, meet every trouble.

#include "print.hpp"
#include "replay.hpp"
#include "tls.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace cotls::test::early_test {

namespace {

constexpr std::string_view request = "What is said with the hello has to be heard once, and early.";
constexpr std::string_view answer = "This is said before anybody has finished.";

asio::awaitable<void> ask_early(lane& self) {
  self.offer_early(request);
  co_await self.open();
  co_await self.read(answer.size());
  co_await self.write(answer);
  co_await self.shutdown();
}

asio::awaitable<void> answer_early(lane& self) {
  co_await self.read_early();
  self.check(self.received() == request, "early data is heard before the handshake is done");
  co_await self.write_early(answer);
  co_await self.open();
  co_await self.read(answer.size());
  co_await self.shutdown();
}

// Looks for none.
asio::awaitable<void> answer_late(lane& self) {
  co_await self.open();
  co_await self.read(request.size());
  co_await self.write(answer);
  co_await self.read(answer.size());
  co_await self.shutdown();
}

constexpr scenario asking{
    .name = "early request", .near = ask_early, .far = answer_early, .early = request};
constexpr scenario answering{
    .name = "early answer", .near = answer_early, .far = ask_early, .early = request};
constexpr scenario rejecting{
    .name = "early rejection", .near = ask_early, .far = answer_late, .early = request};

plan of(channel_kind channel, bool serves, std::size_t limit) {
  return {.channel = channel, .version = protocol::tls1_3, .near_serves = serves, .limit = limit};
}

void replay(scenario const& what, channel_kind channel, bool serves) {
  replay_at_every_step(what, of(channel, serves, 100'000));
  replay_at_every_step(what, of(channel, serves, 100));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(early_data_with_faults, *boost::unit_test::fixture<counted_runs>())

BOOST_DATA_TEST_CASE(it_is_heard_once_or_the_connection_ends_with_a_documented_error, each_channel,
                     channel) {
  replay(asking, channel, false);
  replay(answering, channel, true);
}

BOOST_DATA_TEST_CASE(it_is_sent_again_or_the_connection_ends_with_a_documented_error,
                     each_channel, channel) {
  replay(rejecting, channel, false);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::early_test
