#pragma once

#include "plan.hpp"
#include "script.hpp"

#include <boost/test/data/monomorphic.hpp>

#include <vector>

namespace cotls::test {

/// What the scenarios are run over: each channel and version, the near end a client or a server.
inline auto const each_channel =
    boost::unit_test::data::make({channel_kind::memory, channel_kind::native});
inline auto const each_version = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});
inline auto const each_role = boost::unit_test::data::make({false, true});

/** Runs a scenario once for each plan, many at a time, and checks every run. */
void replay(scenario const& what, std::vector<plan> const& plans);

/** Runs it without trouble, then with every trouble at every step. */
void replay_at_every_step(scenario const& what, plan const& like);

/** The same, and with a failure, an end and a stall at every byte: of the whole, or behind the
    handshake, whose bytes are met once by the scenarios that consist of it. */
void replay_at_every_byte(scenario const& what, plan const& like);
void replay_at_every_byte_behind_the_handshake(scenario const& what, plan const& like);

/** A suite's fixture: the runs are counted and said at its end, and no descriptor is left. */
class counted_runs {
 public:
  void setup();
  void teardown();
};

}  // namespace cotls::test
