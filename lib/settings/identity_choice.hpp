#pragma once

#include <cotls/identity.hpp>

#include "openssl/openssl_ptr.hpp"

#include <vector>

namespace cotls::detail {

/** Has a connection show an identity, and no other. False, with OpenSSL's errors, when it does not
    take it. */
bool show_identity(SSL* connection, identity const& shown);

/** Several identities of a client, of which each server that asks is shown the first that fits. */
class identity_choice {
 public:
  /** @par Errors OpenSSL's, when there is no memory */
  explicit identity_choice(std::vector<identity> const& among);

  /** Lets the connections of a client's context choose among identities; among none, they show what
      the context has.
      @par Errors OpenSSL's, when there is no memory */
  static void install(SSL_CTX* clients, std::vector<identity> const& among);

  /** Chooses for a connection whose context has several; otherwise it shows what it has.
      @return As of OpenSSL's callback: 0 when there is no memory. */
  static int choose(SSL* connection);

 private:
  struct candidate {
    identity who;
    x509_stack_ptr issuers;
  };

  static int on_certificate_request(SSL* connection, void* unused);
  bool answer(SSL* connection) const;
  bool has(X509 const* leaf) const noexcept;

  std::vector<candidate> candidates_;
};

}  // namespace cotls::detail
