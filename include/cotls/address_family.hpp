#pragma once

#include <cstdint>

namespace cotls {

/** Which of a host's addresses are connected to. */
enum class address_family : std::uint8_t {
  any,    ///< All that the lookup finds, those of IPv6 and of IPv4 in turn (RFC 8305 section 4).
  ipv4,   ///< Those of IPv4 alone; no others are looked up.
  ipv6,   ///< Those of IPv6 alone.
};

}  // namespace cotls
