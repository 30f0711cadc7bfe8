#pragma once

#include <cstdint>

namespace cotls {

/** What is asked of the peer's certificate chain. */
enum class verify : std::uint8_t {
  none,       ///< Nothing is verified. A client is open to anyone in the middle.
  optional,   ///< A server asks; a client without a certificate is let in, a bad one is not.
  required,   ///< The peer must send a chain that leads to a trusted root.
};

}  // namespace cotls
