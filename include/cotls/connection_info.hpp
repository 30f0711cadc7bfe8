#pragma once

#include <cotls/early_data.hpp>

#include <cstdint>
#include <string>

namespace cotls {

/** What was negotiated for a connection; values of the moment at which it was asked for. It may be
    asked for at any: what is not known, because the handshake has not come so far or has failed
    before, is empty. */
struct connection_info {
  std::string version;   ///< `"TLSv1.3"` (`SSL_get_version`)
  std::string suite;     ///< `"TLS_AES_256_GCM_SHA384"` (`SSL_CIPHER_get_name`)
  /** `"x25519"`: the key exchange group (`SSL_get_negotiated_group`); of a resumption that
      exchanges no keys, that of the full handshake. */
  std::string group;
  std::string alpn;      ///< the ALPN protocol; empty when none was agreed on
  /** The name the client asked for (SNI, `SSL_get_servername`); empty when it sent none, and on a
      server that has resumed a session of TLS 1.2. */
  std::string server_name;
  bool resumed = false;  ///< whether an earlier session was resumed (`SSL_session_reused`)

  /** What became of data that was to be sent with the client's hello. On a client it is known once
      the handshake is done; on a server once the hello is here. (`SSL_get_early_data_status`) */
  cotls::early_data early_data = cotls::early_data::none;

  /** How we, and how the peer, proved to have the key of a certificate: `"ecdsa_sha256"`,
      `"rsa_pss_sha256"`, `"ed25519"`. Empty for who has proved nothing in this handshake: clients
      without a certificate, and both where a session was resumed.
      (`SSL_get_signature_type_nid`, `SSL_get_peer_signature_type_nid`) */
  std::string signature;
  std::string peer_signature;

  /** Whether the keys are bound to the handshake that has made them (RFC 7627), which TLS 1.3 does
      always. Without it, channel bindings and exported keys are refused.
      (`SSL_get_extms_support`) */
  bool extended_master_secret = false;

  /** How often the handshake had to wait for an answer to what it had said: a server once; a client
      of TLS 1.3 once, of TLS 1.2 twice, or once where a session is resumed. */
  unsigned round_trips = 0;

  /** Whether the server of TLS 1.3 could do nothing with the first hello, most often because of a
      group that the client had not chosen to begin with, and asked for another one
      (HelloRetryRequest, RFC 8446 section 4.1.4), which costs a round trip. */
  bool hello_retried = false;

  /** How many bytes of the transport's TLS has taken in and put out, handshakes, headers and all;
      what still waits to leave is counted. (`BIO_number_read`, `BIO_number_written`) */
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
};

}  // namespace cotls
