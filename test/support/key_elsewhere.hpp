#pragma once

#include "openssl/openssl_ptr.hpp"

#include <cotls/identity.hpp>
#include <cotls/signer.hpp>

#include <atomic>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace cotls {

inline std::ostream& operator<<(std::ostream& out, signature_scheme which) {
  return out << to_string(which);
}

}  // namespace cotls

namespace cotls::test {

/** Makes a key of a kind: `"P-384"`, `"RSA"`, `"RSA-PSS"`, `"ED25519"`. */
private_key make_key(std::string const& kind);

/** Makes a bare certificate for localhost, signed with its own key, as one that was received. */
certificate self_signed_by(private_key const& key);

/** A key that no context has, and what it was asked for. It signs with the functions of OpenSSL
    that are not the handshake's: messages, or digests where there are any. */
class key_elsewhere {
 public:
  explicit key_elsewhere(std::string const& kind)
      : state_(std::make_shared<state>(make_key(kind))), certificate_(self_signed_by(key())) {}

  private_key const& key() const noexcept { return state_->key; }
  certificate const& leaf() const noexcept { return certificate_; }

  /** Signs messages, or digests. */
  signer messages() const;
  signer digests() const;

  /** Returns the certificate with a key that has this signer. */
  identity signed_by(signer sign) const {
    return identity(certificate_chain({certificate_}),
                    private_key::from_signer(certificate_, std::move(sign)));
  }

  /** The schemes that were asked for. */
  std::vector<signature_scheme> const& asked() const noexcept { return state_->asked; }

 private:
  struct state {
    explicit state(private_key made) : key(std::move(made)) {}
    private_key key;
    std::vector<signature_scheme> asked;
  };

  std::shared_ptr<state> state_;
  certificate certificate_;
};

/** Signs a request with a key that is here; `digest` by way of its digest.
    @par Errors std::runtime_error */
signer::signature sign_with(private_key const& key, signature_request const& request, bool digest);

}  // namespace cotls::test
