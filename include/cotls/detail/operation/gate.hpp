#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace cotls::detail {

/** One direction's claim: at most one operation holds it. Counts what the holder took since the
    last time its thread could run something else, so that one fast peer cannot starve the rest.

        flag       set by                                 what follows
        busy       the operation that holds it, from      another operation of that direction is
                   its first step to its last             refused: `errc::operation_in_progress`
        exclusive  a handshake or a shutdown, which       who waits for input may take the socket
                   holds the other direction, too         to be nobody else's
        closed     whoever ends the owner, for good       the next step: `operation_aborted`
        cancelled  whoever cancels the operation          the next step: `operation_aborted`
        woken      whoever has something for it to see:   a wait that was ended is no failure: the
                   a write that left ciphertext, the      operation looks again
                   cancelling of the other direction

    A waiting operation hears of a flag when its wait ends, so that who sets one calls, of the
    transport, `interrupt` (the waits of both directions end, and the transport stays as it is) or
    `abandon` (all that is pending ends, and the transport is closed where it is ours). */
struct gate {
  static constexpr std::size_t max_records = 64;
  static constexpr std::size_t max_bytes = 256 * 1024;

  bool busy = false;
  bool exclusive = false;
  bool closed = false;
  bool cancelled = false;
  bool woken = false;
  std::uint8_t records = 0;
  std::uint32_t bytes = 0;

  /** Claims it for an operation, to which nothing applies that was meant for an earlier one. */
  void claim(bool both) noexcept {
    busy = true;
    exclusive = both;
    cancelled = woken = false;
  }

  void took(std::size_t more_records, std::size_t more_bytes) noexcept {
    records = static_cast<std::uint8_t>(std::min(records + more_records, max_records));
    bytes = static_cast<std::uint32_t>(std::min(bytes + more_bytes, max_bytes));
  }
  bool exhausted() const noexcept { return records >= max_records || bytes >= max_bytes; }
  void rested() noexcept { records = 0; bytes = 0; }
};

}  // namespace cotls::detail
