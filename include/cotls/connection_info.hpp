#pragma once

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
};

}  // namespace cotls
