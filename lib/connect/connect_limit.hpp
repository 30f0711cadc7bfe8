#pragma once

#include <cotls/connect_options.hpp>
#include <cotls/detail/support/moment.hpp>

#include <algorithm>
#include <chrono>

namespace cotls::detail {

/** The one deadline of a connect, from when it is made on: of its lookup, of the race of its
    addresses, and of its handshake, which has a limit of its own besides. */
class connect_limit {
  using clock = std::chrono::steady_clock;

 public:
  explicit connect_limit(connect_options const& options)
      : until_(moment_after(options.timeout())), handshake_(options.handshake_timeout()) {}

  clock::time_point until() const noexcept { return until_; }

  /** Returns what is left for the handshake; nothing or less when the time is over. */
  clock::duration for_handshake() const { return std::min(until_ - clock::now(), handshake_); }

 private:
  clock::time_point until_;
  clock::duration handshake_;
};

}  // namespace cotls::detail
