#pragma once

#include <cstdint>
#include <string_view>

namespace cotls {

/** Which versions of the protocol a context may negotiate.

    A version this build of OpenSSL cannot speak is refused when the context is made
    (`errc::unsupported_protocol`); nothing is upgraded behind the caller's back.

    `secure` and `tls1_2` speak TLS 1.2 with forward secrecy and authenticated encryption alone
    (RFC 9325 section 4): `set_ciphers("DEFAULT")` admits what OpenSSL does by default.

    Systems such as Debian forbid by their security level what the versions before TLS 1.2 are
    signed with. A context for one of these lowers its level to 0 (`DEFAULT:@SECLEVEL=0`), for its
    certificates as well; `sslv2_or_v3` keeps the system's level.
*/
enum class protocol : std::uint8_t {
  secure,         ///< TLS 1.2 and up: the default.
  sslv2_or_v3,    ///< The best both sides can do: every version this OpenSSL and its policy allow.
  sslv2,          ///< SSL 2.0. No OpenSSL 3 can speak it.
  sslv3,          ///< SSL 3.0 alone. Debian's OpenSSL is built without it.
  tls1_0,         ///< TLS 1.0 alone.
  tls = tls1_0,   ///< The same: "the TLS protocol version 1" of the Scheme `openssl` module.
  tls1_1,         ///< TLS 1.1 alone.
  tls1_2,         ///< TLS 1.2 alone.
  tls1_3,         ///< TLS 1.3 alone.
};

/** Tells whether the OpenSSL this library was built with can speak the protocol. */
bool supported(protocol value) noexcept;

/** Returns the protocol's name, spelled as its enumerator (`"tls1_3"`). */
std::string_view to_string(protocol value) noexcept;

}  // namespace cotls
