#pragma once

#include <cotls/policy.hpp>
#include <cotls/protocol_version.hpp>
#include <cotls/suite_order.hpp>

namespace cotls::detail {

/** What a policy says, in OpenSSL's words. */
struct policy_contents {
  version_range versions;
  char const* tls12;        // suites; empty where TLS 1.2 is not spoken
  char const* tls13;
  char const* groups;
  suite_order order;
  bool finite_fields;       // key exchange by suites with DHE
  bool below_the_system;    // lowers the security level and the lowest version
};

policy_contents const& contents_of(policy named) noexcept;

}  // namespace cotls::detail
