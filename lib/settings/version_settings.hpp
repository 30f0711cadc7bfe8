#pragma once

#include <cotls/protocol.hpp>

#include <openssl/types.h>

#include <string>

namespace cotls::detail {

/** The versions of TLS that are spoken. */
class version_settings {
 public:
  /** @par Errors errc::unsupported_protocol */
  explicit version_settings(protocol versions);

  /** Sets the versions, and the suites that they may use: those with forward secrecy and
      authenticated encryption (RFC 9325 section 4), where the versions are not named one by one to
      speak with what is older. */
  void apply_to(SSL_CTX* context) const;

  /** Returns what an error says was tried: "making a context for tls1_2". */
  std::string doing() const;

  bool operator==(version_settings const&) const = default;

 private:
  protocol versions_;
};

}  // namespace cotls::detail
