#pragma once

#include "memory_stream.hpp"

#include <cotls/protocol.hpp>

#include <boost/asio/cancellation_type.hpp>

#include <cstddef>
#include <iosfwd>
#include <vector>

namespace cotls::test {

/// What befalls the near end of a connection, once.
enum class trouble {
  none,
  failure,    ///< The transport fails.
  end,        ///< It ends without close_notify.
  stall,      ///< It stalls for good. What has no deadline is given up by its user.
  deadline,   ///< It stalls until the deadline of the operation in progress has passed.
  cancel,     ///< It stalls until the operation in progress was cancelled.
  race,       ///< The operation in progress is cancelled while the transport goes on.
};

/// What a moment is counted in: steps of the transport, or bytes that came in or went out.
enum class unit { steps, bytes_in, bytes_out };

enum class channel_kind { memory, native };

/** One run of a scenario: over what, what befalls it, and when. */
struct plan {
  channel_kind channel = channel_kind::memory;
  protocol version = protocol::secure;
  bool near_serves = false;     ///< The near end is TLS's server.
  std::size_t limit = 100'000;  ///< The most bytes that the transport moves in one step.

  trouble kind = trouble::none;
  unit counted = unit::steps;
  std::size_t at = 0;

  asio::cancellation_type type = asio::cancellation_type::total;
  std::size_t lane = 0;         ///< Which of the near end's coroutines is cancelled.
  bool composed = false;        ///< Operations are composed ones instead of our coroutines.

  /** What the transport does about the trouble. */
  fault transport_fault() const noexcept;

  /** True when what the user does not give up must end well. */
  bool harmless() const noexcept {
    return kind == trouble::none || kind == trouble::cancel || kind == trouble::race;
  }

  /** True when operations have short deadlines. */
  bool hurries() const noexcept { return kind == trouble::stall || kind == trouble::deadline; }
};

std::ostream& operator<<(std::ostream& out, channel_kind value);
std::ostream& operator<<(std::ostream& out, plan const& value);

/** What the transport of a run without trouble has seen at its near end. */
struct measures {
  std::size_t steps = 0;
  std::size_t bytes_in = 0;
  std::size_t bytes_out = 0;
};

/** Every trouble at every step; cancellations of each type, by both drivers, in each lane. */
std::vector<plan> at_every_step(plan const& like, std::size_t steps, std::size_t lanes);

/** A transport that fails, ends and stalls at every byte between two moments. */
std::vector<plan> at_every_byte(plan const& like, measures const& from, measures const& to);

}  // namespace cotls::test
