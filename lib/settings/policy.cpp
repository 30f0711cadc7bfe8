// Lists of Mozilla's Server Side TLS, which test/guide/guarantees.md shows as they are here.

#include <cotls/policy.hpp>

#include "settings/policy_contents.hpp"

namespace cotls {

namespace {

using detail::policy_contents;

constexpr char const* suites_of_tls13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

// The first is known from OpenSSL 3.5 on, the second to no FIPS provider.
constexpr char const* groups = "?X25519MLKEM768:?X25519:P-256:P-384";

constexpr policy_contents modern{
    {protocol_version::tls1_3, protocol_version::tls1_3},
    "",
    suites_of_tls13,
    groups,
    suite_order::client,
    false,
    false};

constexpr policy_contents intermediate{
    {protocol_version::tls1_2, protocol_version::tls1_3},
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",
    suites_of_tls13,
    groups,
    suite_order::client,
    false,
    false};

// Without "DES-CBC3-SHA", whose blocks of 64 bits repeat within one long connection (CVE-2016-2183)
// and which OpenSSL is usually built without; with the first of the groups, which "old" is too old
// to have.
constexpr policy_contents compatible{
    {protocol_version::tls1_0, protocol_version::tls1_3},
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"
    "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"
    "ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"
    "DHE-RSA-AES128-SHA256:DHE-RSA-AES256-SHA256:"
    "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256:AES128-SHA:AES256-SHA",
    suites_of_tls13,
    groups,
    suite_order::server,
    true,
    true};

}  // namespace

std::string_view to_string(policy value) noexcept {
  switch (value) {
    case policy::modern: return "modern";
    case policy::intermediate: return "intermediate";
    case policy::compatible: return "compatible";
  }
  return "unknown";
}

policy_contents const& detail::contents_of(policy named) noexcept {
  switch (named) {
    case policy::modern: return modern;
    case policy::intermediate: return intermediate;
    case policy::compatible: return compatible;
  }
  return modern;   // of a number that is no policy
}

}  // namespace cotls
