#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cotls {

/** What a client offers in its first message (RFC 8446 section 4.1.2), before anything is answered.

    Numbers are those of the IANA registries, in the client's order of preference, and include those
    that stand for nothing (GREASE, RFC 8701). Nothing here is authenticated until the handshake is
    done.
*/
struct client_hello {
  /** The host that is asked for (SNI, RFC 6066 section 3), in lower case, in which names can be
      compared; empty when none is. */
  std::string server_name;
  std::vector<std::string> alpn;                      ///< `"h2"`, `"http/1.1"` (RFC 7301)
  /** 0x0304 is TLS 1.3. A client that knows none later than TLS 1.2 names its latest, alone. */
  std::vector<std::uint16_t> versions;
  std::vector<std::uint16_t> cipher_suites;           ///< 0x1301 is TLS_AES_128_GCM_SHA256
  std::vector<std::uint16_t> groups;                  ///< 0x001d is X25519
  std::vector<std::uint16_t> signature_algorithms;    ///< 0x0403 is ecdsa_secp256r1_sha256
  std::vector<std::uint16_t> extensions;              ///< 0x0010 is ALPN. All types, as they came.
  std::vector<unsigned char> session_id;              ///< Up to 32 bytes; random in TLS 1.3.
  /** What the client would resume with: its ticket of TLS 1.2 (RFC 5077 section 3.2), the identities
      of its keys in TLS 1.3 (RFC 8446 section 4.2.11), of which most are tickets. */
  std::vector<unsigned char> ticket;
  std::vector<std::vector<unsigned char>> psk_identities;
  /** Where the client is, `192.0.2.1:50012` or `[2001:db8::1]:50012`; empty where that is not known:
      of an engine, and over other transports than TCP. Nothing that the client says. */
  std::string address;
  /** False when an extension that is told here makes no sense; it is left out, and the handshake
      will be refused (but for a host name without a byte, which OpenSSL lets pass). */
  bool well_formed = true;

  bool offers_alpn(std::string_view protocol) const {
    return std::find(alpn.begin(), alpn.end(), protocol) != alpn.end();
  }

  /** Returns the JA4 fingerprint, by which clients of one make are known again whatever they
      connect to: `"t13d1516h2_8daaf6152771_e5627efa2ab1"`. (FoxIO's technical details of JA4; of
      the family it is the member with a BSD license.) Anybody can make a hello with the fingerprint
      of others: it is a hint, and no proof.

      It is computed by the call. A hello in the form of SSL 2.0 counts as one without extensions.
      @par Errors OpenSSL's, when there is no memory */
  std::string ja4() const;
};

}  // namespace cotls
