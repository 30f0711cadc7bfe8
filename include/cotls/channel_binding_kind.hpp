#pragma once

#include <cstdint>
#include <string_view>

namespace cotls {

/** What stands for a connection where a protocol above TLS, such as SCRAM or GSS-API, proves that
    both of its ends are ends of the same connection (RFC 5056). */
enum class channel_binding_kind : std::uint8_t {
  /** A key that both ends derive (RFC 9266): for new protocols. Of TLS 1.2 it needs an extended
      master secret, and that nobody may renegotiate. */
  tls_exporter,
  /** The first Finished message of the handshake (RFC 5929 section 3), up to TLS 1.2, with an
      extended master secret. */
  tls_unique,
  /** The digest of the server's certificate (RFC 5929 section 4), which all connections to that
      server have in common. Of a certificate whose signature has no digest of its own, such as one
      by Ed25519, there is none. */
  tls_server_end_point,
};

/** Returns the kind's registered name, as protocols spell it: `"tls-exporter"`. */
constexpr std::string_view to_string(channel_binding_kind kind) noexcept {
  switch (kind) {
    case channel_binding_kind::tls_exporter: return "tls-exporter";
    case channel_binding_kind::tls_unique: return "tls-unique";
    case channel_binding_kind::tls_server_end_point: return "tls-server-end-point";
  }
  return "unknown";
}

}  // namespace cotls
