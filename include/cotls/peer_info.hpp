#pragma once

#include <cotls/certificate.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cotls {

/** What is known of the peer of a connection; of a peer that was refused, nothing. */
class peer_info {
 public:
  peer_info(std::vector<cotls::certificate> chain, bool verified)
      : chain_(std::move(chain)), verified_(verified) {}

  /** True when the handshake is done, the peer sent a certificate, and its chain was verified; and
      for the host, where the connection has one: without one, which only an adopted context and
      `ssl_stream` allow, any trusted name will do. Verification that was off, or a peer without
      certificate, is false. */
  bool verified() const noexcept { return verified_ && !chain_.empty(); }

  /** The peer's own certificate, if it sent one. */
  std::optional<cotls::certificate> certificate() const {
    if (chain_.empty()) return std::nullopt;
    return chain_.front();
  }

  /** The certificates as the peer sent them, its own first; of a client whose ticket was resumed,
      its own alone. */
  std::vector<cotls::certificate> const& chain() const& noexcept { return chain_; }
  std::vector<cotls::certificate> chain() && noexcept { return std::move(chain_); }

  /** The certificate's subject, issuer and subjectAltName; empty without a certificate. */
  std::string subject() const { return chain_.empty() ? std::string() : chain_.front().subject(); }
  std::string issuer() const { return chain_.empty() ? std::string() : chain_.front().issuer(); }
  std::vector<std::string> names() const {
    return chain_.empty() ? std::vector<std::string>() : chain_.front().names();
  }

 private:
  std::vector<cotls::certificate> chain_;
  bool verified_;
};

}  // namespace cotls
