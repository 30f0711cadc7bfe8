#pragma once

#include <cotls/certificate.hpp>
#include <cotls/ocsp.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cotls {

/** What is known of the peer of a connection; of a peer that was refused, why. */
class peer_info {
 public:
  /** @param verify_result  `X509_V_…`
      @param verified_chain Left out where the chain was not verified. */
  peer_info(std::vector<cotls::certificate> chain, bool verified, int verify_result = 0,
            std::vector<cotls::certificate> verified_chain = {},
            stapled ocsp_response = stapled::none)
      : chain_(std::move(chain)),
        verified_chain_(std::move(verified_chain)),
        verify_result_(verify_result),
        verified_(verified),
        ocsp_response_(ocsp_response) {}

  /** True when the handshake is done, the peer sent a certificate, and its chain was verified; and
      for the host, where the connection has one: without one, which only an adopted context and
      `ssl_stream` allow, any trusted name will do. What the context's verifier has accepted is
      verified. Verification that was off, a certificate that was only asked for (`verify::ask`,
      `verify::require_any`), or a peer without one, is false. */
  bool verified() const noexcept { return verified_ && !chain_.empty(); }

  /** Why the chain was not verified: OpenSSL's result (`X509_V_…`), and the same in its words, such
      as "certificate has expired". Where verification was off, what it would have said.

      0 (`X509_V_OK`) and empty when it was verified, and also where nothing was found against it:
      before the handshake is done, of a peer without a certificate, with verification off. So 0
      proves nothing; `verified` does. */
  int verify_result() const noexcept { return verify_result_; }
  std::string verify_reason() const;

  /** The peer's own certificate, if it sent one. */
  std::optional<cotls::certificate> certificate() const {
    if (chain_.empty()) return std::nullopt;
    return chain_.front();
  }

  /** The certificates as the peer sent them, its own first; of a client whose ticket was resumed,
      its own alone. */
  std::vector<cotls::certificate> const& chain() const& noexcept { return chain_; }
  std::vector<cotls::certificate> chain() && noexcept { return std::move(chain_); }

  /** The chain that was verified, from the peer's own certificate to the root that is trusted, in
      whatever order it was sent (`SSL_get0_verified_chain`). Empty where `verified` is false, and
      where an earlier session was resumed, which keeps no such chain. */
  std::vector<cotls::certificate> const& verified_chain() const& noexcept {
    return verified_chain_;
  }
  std::vector<cotls::certificate> verified_chain() && noexcept {
    return std::move(verified_chain_);
  }

  /** Tells of the OCSP response that a server has stapled for a client with `set_ocsp` (RFC 6066
      section 8); of a client, `stapled::none`. */
  stapled ocsp_response() const noexcept { return ocsp_response_; }

  /** Tells whether the certificate is for this host or address, as `certificate::matches` does;
      false without one. Such as for another request over the same connection (RFC 9110 section
      4.3.3), of a peer that is `verified`. */
  bool matches(std::string_view host) const {
    return !chain_.empty() && chain_.front().matches(host);
  }

  /** Tells whether the peer is a workload of this SPIFFE trust domain, and was verified: by roots
      that are to be that domain's alone. Who it is says `certificate::spiffe_id`. */
  bool in_trust_domain(std::string_view domain) const {
    return verified() && chain_.front().in_trust_domain(domain);
  }

  /** The certificate's subject, issuer and subjectAltName; empty without a certificate. */
  std::string subject() const { return chain_.empty() ? std::string() : chain_.front().subject(); }
  std::string issuer() const { return chain_.empty() ? std::string() : chain_.front().issuer(); }
  std::vector<std::string> names() const {
    return chain_.empty() ? std::vector<std::string>() : chain_.front().names();
  }
  std::vector<std::string> uri_names() const {
    return chain_.empty() ? std::vector<std::string>() : chain_.front().uri_names();
  }
  std::string spiffe_id() const {
    return chain_.empty() ? std::string() : chain_.front().spiffe_id();
  }

 private:
  std::vector<cotls::certificate> chain_;
  std::vector<cotls::certificate> verified_chain_;
  int verify_result_;
  bool verified_;
  stapled ocsp_response_;
};

}  // namespace cotls
