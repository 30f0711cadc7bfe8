#pragma once

#include <cstdint>

namespace cotls {

/** Whether a client asks servers for an OCSP response (RFC 6066 section 8). */
enum class ocsp : std::uint8_t {
  none,      ///< It does not.
  ask,       ///< It does, and refuses a response that is not good. None is good enough.
  require,   ///< It refuses a server without one, too.
};

/** What is known of the OCSP response that a server has stapled to its certificate. */
enum class stapled : std::uint8_t {
  none,      ///< There is none: nobody asked, the server has none, or it has resumed a session.
  unjudged,  ///< Nobody has judged it, an adopted context say; or the handshake is not done.
  good,      ///< The certificate's authority says that it was not revoked.
  refused,   ///< It was not good, and has ended the handshake.
};

}  // namespace cotls
