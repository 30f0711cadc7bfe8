#pragma once

#include <cotls/identity.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cotls::test {

enum class key_kind { ec_p256, rsa_2048, rsa_pss_2048, ed25519, ed448 };
enum class purpose { server, client, ocsp_responder };

/** What an end entity's certificate is to be. */
class certificate_request {
 public:
  /** @param names  Of subjectAltName, DNS names and addresses; the first is the common name too. */
  explicit certificate_request(std::vector<std::string> names) : names_(std::move(names)) {}

  /** Validity, from now. The default is a day from an hour ago. */
  certificate_request& valid(std::chrono::seconds from, std::chrono::seconds until) {
    from_ = from;
    until_ = until;
    return *this;
  }
  certificate_request& key(key_kind kind) { kind_ = kind; return *this; }
  certificate_request& use(purpose meant) { purpose_ = meant; return *this; }

  /** What subjectAltName holds instead of the names, as OpenSSL writes it (`email:a@b.test`); with an
      empty text there is no such extension. */
  certificate_request& alternative_names(std::string text) {
    alternative_names_ = std::move(text);
    return *this;
  }

  /** Without a stapled OCSP response it is not to be accepted ("must-staple", RFC 7633). */
  certificate_request& must_staple() { must_staple_ = true; return *this; }

  std::vector<std::string> const& names() const noexcept { return names_; }
  std::chrono::seconds from() const noexcept { return from_; }
  std::chrono::seconds until() const noexcept { return until_; }
  key_kind kind() const noexcept { return kind_; }
  purpose meant() const noexcept { return purpose_; }
  bool is_must_staple() const noexcept { return must_staple_; }
  std::optional<std::string> const& alternative_names() const noexcept {
    return alternative_names_;
  }

 private:
  std::vector<std::string> names_;
  std::chrono::seconds from_ = -std::chrono::hours(1);
  std::chrono::seconds until_ = std::chrono::hours(24);
  key_kind kind_ = key_kind::ec_p256;
  purpose purpose_ = purpose::server;
  std::optional<std::string> alternative_names_;
  bool must_staple_ = false;
};

/** What an authority gave out, as PEM. */
struct issued {
  std::string certificate;     ///< the end entity's own
  std::string intermediates;   ///< those between it and the root, the nearest first; may be empty
  std::string key;             ///< PKCS #8

  std::string chain() const { return certificate + intermediates; }
  cotls::certificate leaf() const { return certificate::from_pem(certificate); }
  cotls::identity identity() const {
    return cotls::identity(certificate_chain::from_pem(chain()), private_key::from_memory(key));
  }
};

/** A certificate authority, made when the test starts. */
class authority {
 public:
  /** Makes a root. */
  explicit authority(std::string const& name);

  /** Makes an authority that this one vouches for. */
  authority make_intermediate(std::string const& name) const;

  issued issue(certificate_request const& request) const;

  /** Returns a revocation list as PEM, valid from two hours ago.
      @param next_update  When it ends, from now. */
  std::string revocation_list(
      std::vector<cotls::certificate> const& revoked,
      std::chrono::seconds next_update = std::chrono::hours(24)) const;

  /** Returns the authority's own certificate, and its key. */
  std::string pem() const;
  std::string key() const;
  cotls::certificate certificate() const { return certificate::from_pem(pem()); }

 private:
  struct state;
  explicit authority(std::shared_ptr<state const> made) : state_(std::move(made)) {}
  std::shared_ptr<state const> state_;
};

}  // namespace cotls::test
