#include "identity/chain_key.hpp"

#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"

#include <openssl/x509.h>

#include <algorithm>

namespace cotls::detail {

bool belongs_to(EVP_PKEY const* key, X509 const* certificate) {
  bool const same = X509_check_private_key(certificate, key) == 1;
  clear_openssl_errors();
  return same;
}

void check_key_of(certificate_chain const& chain, EVP_PKEY const* key, std::string const& doing) {
  auto const& all = chain.certificates();
  bool const later = std::any_of(all.begin() + 1, all.end(), [&](certificate const& each) {
    return belongs_to(key, each.native_handle());
  });
  if (later && !belongs_to(key, all.front().native_handle())) fail(errc::wrong_chain_order, doing);
  check_key_of(all.front().native_handle(), key, doing);
}

void check_key_of(X509 const* certificate, EVP_PKEY const* key, std::string const& doing) {
  clear_openssl_errors();
  if (X509_check_private_key(certificate, key) == 1) return;
  throw_openssl_error(errc::key_mismatch, doing);
}

}  // namespace cotls::detail
