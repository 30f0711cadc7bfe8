#pragma once

#include <cotls/identity.hpp>

#include "openssl/openssl_ptr.hpp"

#include <vector>

namespace cotls::detail {

/** Several identities of a client, of which each server that asks is shown the first that fits. */
class identity_choice {
 public:
  /** @par Errors OpenSSL's, when there is no memory */
  explicit identity_choice(std::vector<identity> const& among);

  /** Lets the connections of a client's context choose among identities; among none, they show what
      the context has.
      @par Errors OpenSSL's, when there is no memory */
  static void install(SSL_CTX* clients, std::vector<identity> const& among);

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
