#pragma once

#include <cstdint>

namespace cotls {

/** Whether a client asks servers for an OCSP response (RFC 6066 section 8). */
enum class ocsp : std::uint8_t {
  none,      ///< It does not.
  ask,       ///< It does, and refuses a response that is not good. None is good enough.
  require,   ///< It refuses a server without one, too.
};

}  // namespace cotls
