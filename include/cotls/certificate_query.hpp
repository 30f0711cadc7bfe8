#pragma once

#include <cotls/error.hpp>
#include <cotls/identity.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cotls {

/** For what a certificate of ours is needed: who asks, and what it may be. */
struct certificate_query {
  std::string version;       ///< `"TLSv1.3"`
  std::string server_name;   ///< That the client has asked for (SNI); empty when it has not.
  /** What the peer takes signatures of, in its order of preference: 0x0403 is
      ecdsa_secp256r1_sha256. Of a client of TLS 1.2 that names none, those of RFC 5246 section
      7.4.1.4.1 are meant, and this is empty. */
  std::vector<std::uint16_t> signature_algorithms;
  /** The authorities that the peer knows, as RFC 2253 writes names; none where it has named none
      (RFC 8446 section 4.2.4). */
  std::vector<std::string> authorities;
};

/** Which certificate is shown (`server_context::on_certificate`,
    `client_context::on_certificate_request`). An identity or an alert stands for an answer. */
class certificate_answer {
 public:
  /** Shows what the context has: of a client that has nothing, no certificate. */
  certificate_answer() noexcept {}

  /** Shows this one, and nothing of the context's. */
  certificate_answer(identity shown) : shown_(std::move(shown)) {}

  /** Refuses the peer, and the handshake fails with `errc::peer_not_allowed`. It is sent this alert
      by a server; by a client, for which OpenSSL has no other, internal_error. */
  certificate_answer(alert why) noexcept : refused_(why) {}

  std::optional<identity> const& shown() const noexcept { return shown_; }
  std::optional<alert> const& refused() const noexcept { return refused_; }

 private:
  std::optional<identity> shown_;
  std::optional<alert> refused_;
};

}  // namespace cotls
