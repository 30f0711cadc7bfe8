#pragma once

#include <cstdint>

namespace cotls::detail {

/// What a driver must do before it calls an operation's `advance` again.
enum class action : std::uint8_t {
  complete,      ///< Nothing: the operation is done, its result stands.
  wait_input,    ///< Wait until the transport has input.
  wait_output,   ///< Wait until the transport takes output.
  wait_either,   ///< Wait for whichever comes first.
  ask,           ///< Have the engine's question answered.
  yield,         ///< Let the executor run something else.
};

/// Why a driver comes back before what it waited for.
enum class interruption : std::uint8_t { none, cancelled, deadline };

}  // namespace cotls::detail
