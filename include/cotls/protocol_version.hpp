#pragma once

#include <cstdint>
#include <string_view>

namespace cotls {

/** One version of the protocol, an end of a range (`context::set_versions`). In their order: a
    later one is greater. */
enum class protocol_version : std::uint8_t {
  tls1_0,   ///< RFC 2246; deprecated (RFC 8996).
  tls1_1,   ///< RFC 4346; deprecated (RFC 8996).
  tls1_2,   ///< RFC 5246.
  tls1_3,   ///< RFC 8446.
};

/** Returns the version's name, spelled as its enumerator (`"tls1_3"`). */
std::string_view to_string(protocol_version value) noexcept;

namespace detail {

/// Versions from one to another, both included.
struct version_range {
  protocol_version lowest = protocol_version::tls1_2;
  protocol_version highest = protocol_version::tls1_3;

  bool operator==(version_range const&) const = default;
};

}  // namespace detail

}  // namespace cotls
