#pragma once

#include <cstdint>
#include <string_view>

namespace cotls {

/** A choice of versions, suites, groups and their order that has a name, after Mozilla's Server
    Side TLS: `modern` and `intermediate` of its version 6.0, `compatible` after "old" of 5.8, the
    last that has it. test/guide/guarantees.md lists what is in each.

    None offers suites that encrypt nothing, verify nobody, or were made for export. */
enum class policy : std::uint8_t {
  modern,         ///< TLS 1.3 alone.
  intermediate,   ///< TLS 1.2 and 1.3, with forward secrecy and authenticated encryption.
  /** From TLS 1.0 on, with suites that have neither. For peers that are out of support: RFC 8996
      forbids the versions before TLS 1.2. */
  compatible,
};

/** Returns the policy's name, spelled as its enumerator (`"modern"`). */
std::string_view to_string(policy value) noexcept;

}  // namespace cotls
