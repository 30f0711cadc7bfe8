#pragma once

#include <cotls/protocol_version.hpp>

#include <string>

namespace cotls::detail {

/** Returns OpenSSL's number of a version (`TLS1_2_VERSION`). */
int openssl_number(protocol_version value) noexcept;

/** Checks that there is something between both ends.
    @par Errors errc::invalid_setting for nothing; errc::unsupported_protocol for an end that
    OpenSSL was built without */
void check_versions(version_range const& versions);

/** How an error names it: "tls1_0 to tls1_2". */
std::string to_string(version_range const& versions);

}  // namespace cotls::detail
