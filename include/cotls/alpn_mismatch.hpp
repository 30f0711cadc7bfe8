#pragma once

#include <cstdint>

namespace cotls {

/** What a server does when it and the client share no ALPN protocol (RFC 7301 section 3.2). */
enum class alpn_mismatch : std::uint8_t {
  proceed,   ///< Go on without a protocol.
  refuse,    ///< End the handshake with the alert no_application_protocol.
};

}  // namespace cotls
