#include "settings/version_settings.hpp"

#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"
#include "settings/cipher_list.hpp"

#include <openssl/ssl.h>

#include <algorithm>

namespace cotls::detail {

namespace {

struct version_bounds {
  int lowest;    // 0: as OpenSSL and its policy have it
  int highest;   // 0: the newest
};

version_bounds range_of(protocol versions) noexcept {
  switch (versions) {
    case protocol::secure: return {TLS1_2_VERSION, 0};
    case protocol::sslv2_or_v3: return {0, 0};
    case protocol::sslv2: break;   // refused before
    case protocol::sslv3: return {SSL3_VERSION, SSL3_VERSION};
    case protocol::tls1_0: return {TLS1_VERSION, TLS1_VERSION};
    case protocol::tls1_1: return {TLS1_1_VERSION, TLS1_1_VERSION};
    case protocol::tls1_2: return {TLS1_2_VERSION, TLS1_2_VERSION};
    case protocol::tls1_3: return {TLS1_3_VERSION, TLS1_3_VERSION};
  }
  return {0, 0};
}

bool set_versions(SSL_CTX* context, protocol versions) {
  auto [lowest, highest] = range_of(versions);
  // The system may ask for more than TLS 1.2; it is never loosened.
  if (versions == protocol::secure) {
    lowest = std::max(lowest, static_cast<int>(SSL_CTX_get_min_proto_version(context)));
  }
  if (lowest != 0 && SSL_CTX_set_min_proto_version(context, lowest) != 1) return false;
  if (highest != 0 && SSL_CTX_set_max_proto_version(context, highest) != 1) return false;
  // The handshake of these is signed with MD5 and SHA-1, which no level above 0 allows.
  bool const ancient = highest != 0 && highest < TLS1_2_VERSION;
  if (ancient) return SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0") == 1;
  return versions == protocol::sslv2_or_v3 || keep_modern_suites(context);
}

}  // namespace

version_settings::version_settings(protocol versions) : versions_(versions) {
  if (!supported(versions)) fail(errc::unsupported_protocol, doing());
}

void version_settings::apply_to(SSL_CTX* context) const {
  clear_openssl_errors();
  if (!set_versions(context, versions_)) throw_openssl_error(errc::unsupported_protocol, doing());
}

std::string version_settings::doing() const {
  return "making a context for " + std::string(to_string(versions_));
}

}  // namespace cotls::detail
