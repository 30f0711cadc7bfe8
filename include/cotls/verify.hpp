#pragma once

#include <cstdint>

namespace cotls {

/** What is asked of the peer's certificate chain. A server's client may have none, and a server may
    want to know whom it has before it, and no more; of a server that a client connects to, only
    whether it is verified is to be said. */
enum class verify : std::uint8_t {
  none,         ///< Nothing is verified. A client is open to anyone in the middle.
  ask,          ///< A server asks, and takes what comes: any certificate, or none.
  optional,     ///< A server asks; a client without a certificate is let in, a bad one is not.
  require_any,  ///< A client must send a certificate, be it anybody's: nothing is verified.
  required,     ///< The peer must send a chain that leads to a trusted root.
};

}  // namespace cotls
