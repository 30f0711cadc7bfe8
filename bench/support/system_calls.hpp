#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/* Counts the system calls that a program makes for its connections. system_calls.cpp defines libc's
   wrappers for the whole program: no tracer is needed, and none slows the program down. */

namespace bench {

enum class system_call : std::uint8_t {
  receive,     ///< read, recv and their kind
  send,        ///< write, send and their kind
  epoll_wait,  ///< Its returns.
  epoll_ctl,
  other,  ///< What else a connection may be given: options, timers, accept, close, ...
};

struct system_call_counts {
  static constexpr std::size_t kinds = 5;
  std::array<std::int64_t, kinds> by_kind{};

  std::int64_t operator[](system_call kind) const noexcept {
    return by_kind[static_cast<std::size_t>(kind)];
  }
  std::int64_t total() const noexcept {
    std::int64_t sum = 0;
    for (std::int64_t const count : by_kind) sum += count;
    return sum;
  }
  std::int64_t beside_epoll_wait() const noexcept {
    return total() - (*this)[system_call::epoll_wait];
  }
  system_call_counts& operator-=(system_call_counts const& before) noexcept {
    for (std::size_t kind = 0; kind < kinds; ++kind) by_kind[kind] -= before.by_kind[kind];
    return *this;
  }
};

system_call_counts system_calls_now() noexcept;

}  // namespace bench
