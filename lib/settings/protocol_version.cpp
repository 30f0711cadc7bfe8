#include <cotls/protocol.hpp>
#include <cotls/protocol_version.hpp>

#include "error/fail.hpp"
#include "settings/version_range.hpp"

#include <openssl/ssl.h>

namespace cotls {

namespace {

protocol alone(protocol_version value) noexcept {
  switch (value) {
    case protocol_version::tls1_0: return protocol::tls1_0;
    case protocol_version::tls1_1: return protocol::tls1_1;
    case protocol_version::tls1_2: return protocol::tls1_2;
    case protocol_version::tls1_3: return protocol::tls1_3;
  }
  return protocol::sslv2;   // which nothing supports
}

}  // namespace

std::string_view to_string(protocol_version value) noexcept { return to_string(alone(value)); }

int detail::openssl_number(protocol_version value) noexcept {
  switch (value) {
    case protocol_version::tls1_0: return TLS1_VERSION;
    case protocol_version::tls1_1: return TLS1_1_VERSION;
    case protocol_version::tls1_2: return TLS1_2_VERSION;
    case protocol_version::tls1_3: return TLS1_3_VERSION;
  }
  return TLS1_3_VERSION;
}

void detail::check_versions(version_range const& versions) {
  std::string const doing = "setting the versions " + to_string(versions);
  if (versions.lowest > versions.highest) fail(errc::invalid_setting, doing);
  if (!supported(alone(versions.lowest)) || !supported(alone(versions.highest))) {
    fail(errc::unsupported_protocol, doing);
  }
}

std::string detail::to_string(version_range const& versions) {
  return std::string(cotls::to_string(versions.lowest)) + " to " +
         std::string(cotls::to_string(versions.highest));
}

}  // namespace cotls
