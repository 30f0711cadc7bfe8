#pragma once

#include <cstdint>

namespace cotls {

/** What a server with virtual hosts does about a client that asks for another host, or for none
    (RFC 6066 section 3). */
enum class unknown_host : std::uint8_t {
  serve,   ///< Serve it by the context's own certificate and settings.
  /** End the handshake with the alert unrecognized_name, unless the client asks for none and the
      context has a certificate of its own. */
  refuse,
};

}  // namespace cotls
