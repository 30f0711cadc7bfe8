#include <cotls/protocol.hpp>

#include <openssl/opensslconf.h>
#include <openssl/opensslv.h>

namespace cotls {

namespace {

// OpenSSL 4 has none, and does not say so.
#if defined(OPENSSL_NO_SSL3) || OPENSSL_VERSION_MAJOR >= 4
constexpr bool has_ssl3 = false;
#else
constexpr bool has_ssl3 = true;
#endif
#ifdef OPENSSL_NO_TLS1
constexpr bool has_tls1 = false;
#else
constexpr bool has_tls1 = true;
#endif
#ifdef OPENSSL_NO_TLS1_1
constexpr bool has_tls1_1 = false;
#else
constexpr bool has_tls1_1 = true;
#endif
#ifdef OPENSSL_NO_TLS1_2
constexpr bool has_tls1_2 = false;
#else
constexpr bool has_tls1_2 = true;
#endif
#ifdef OPENSSL_NO_TLS1_3
constexpr bool has_tls1_3 = false;
#else
constexpr bool has_tls1_3 = true;
#endif

}  // namespace

bool supported(protocol value) noexcept {
  switch (value) {
    case protocol::secure: return has_tls1_2 || has_tls1_3;
    case protocol::sslv2_or_v3: return true;
    case protocol::sslv2: return false;
    case protocol::sslv3: return has_ssl3;
    case protocol::tls1_0: return has_tls1;
    case protocol::tls1_1: return has_tls1_1;
    case protocol::tls1_2: return has_tls1_2;
    case protocol::tls1_3: return has_tls1_3;
  }
  return false;
}

std::string_view to_string(protocol value) noexcept {
  switch (value) {
    case protocol::secure: return "secure";
    case protocol::sslv2_or_v3: return "sslv2_or_v3";
    case protocol::sslv2: return "sslv2";
    case protocol::sslv3: return "sslv3";
    case protocol::tls1_0: return "tls1_0";
    case protocol::tls1_1: return "tls1_1";
    case protocol::tls1_2: return "tls1_2";
    case protocol::tls1_3: return "tls1_3";
  }
  return "unknown";
}

}  // namespace cotls
