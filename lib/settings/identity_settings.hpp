#pragma once

#include <cotls/detail/support/role.hpp>
#include <cotls/identity.hpp>

#include <openssl/types.h>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace cotls::detail {

/** The certificate chain that is shown and its key, and the identities beside them. What is not set
    is what the context beneath has, which is one that was adopted or was lent.

    They are given to a context when it is sealed: OpenSSL keeps a certificate for each type of key
    and cannot forget one, so a chain that was overwritten would go on being offered to peers that
    prefer its type (S3). */
class identity_settings {
 public:
  /** @param trial  A context like the one they are for, to which they are given to be checked.
      @param doing  What the error says was tried: `"using the private key key.pem"`.
      @par Errors errc::key_mismatch, errc::wrong_chain_order, OpenSSL's */
  void use(certificate_chain const& chain, SSL_CTX* beneath, SSL_CTX* trial,
           std::string const& doing);
  void use(private_key const& key, SSL_CTX* beneath, SSL_CTX* trial, std::string const& doing);
  void use(identity const& both, SSL_CTX* trial, std::string const& doing);

  /** Uses another identity beside those there are. A server has one for each type of key, of which
      the later replaces the earlier; a client any number, and which is shown is `identity_choice`'s
      affair.
      @par Errors OpenSSL's */
  void add(identity const& another, role end, SSL_CTX* trial, std::string const& doing);

  bool empty() const noexcept { return !chain_ && !key_ && beside_.empty(); }

  /** Returns when the first of all these certificates expires; nothing where there are none. */
  std::optional<std::chrono::system_clock::time_point> expires(SSL_CTX* beneath) const;

  /** Throws errc::no_certificate for what cannot be shown: half of an identity or, of a server,
      none. */
  void check_complete(role end, SSL_CTX* beneath) const;

  void apply_to(SSL_CTX* context, role end) const;

  /** Tells whether a handshake may wait for a signer. */
  bool may_wait() const noexcept;

  /** Returns the certificate that is shown; null while there is none. */
  X509* leaf(SSL_CTX* beneath) const noexcept;

  /** Returns what stands for all that can be shown, in its order; nothing but zeros where that is
      nothing. @par Errors OpenSSL's */
  std::array<unsigned char, 32> digest(SSL_CTX* beneath) const;

  bool operator==(identity_settings const& other) const noexcept;

 private:
  EVP_PKEY* key(SSL_CTX* beneath) const noexcept;
  bool replaces_first(identity const& another) const;
  std::vector<identity> all() const;
  void install_on(SSL_CTX* context) const;
  void install_first_on(SSL_CTX* context) const;

  std::optional<certificate_chain> chain_;
  std::optional<private_key> key_;
  std::vector<identity> beside_;
};

}  // namespace cotls::detail
