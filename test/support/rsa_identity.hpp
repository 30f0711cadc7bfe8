#pragma once

#include "openssl/openssl_ptr.hpp"
#include "self_signed.hpp"

#include <cotls/identity.hpp>

#include <openssl/rsa.h>

namespace cotls::test {

inline private_key make_rsa_key(unsigned bits) {
  detail::pkey_ptr const made(EVP_RSA_gen(bits));
  return private_key::from_native(made.get());
}

/// Made once: an RSA key is slow to make.
inline private_key const& rsa_key() {
  static private_key const made = make_rsa_key(2048);
  return made;
}

inline identity const& rsa_identity() {
  static identity const made(certificate_chain({self_signed_for(rsa_key(), "rsa.test")}),
                             rsa_key());
  return made;
}

}  // namespace cotls::test
