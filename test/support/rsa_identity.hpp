#pragma once

#include "openssl/openssl_ptr.hpp"

#include <cotls/identity.hpp>

#include <openssl/rsa.h>

#include <string>

namespace cotls::test {

/// Makes a bare certificate for a key, signed with itself.
inline certificate self_signed_for(private_key const& key, std::string const& name) {
  detail::x509_ptr const made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  detail::x509_name_ptr const subject(X509_NAME_new());
  X509_NAME_add_entry_by_txt(subject.get(), "CN", MBSTRING_UTF8,
                             reinterpret_cast<unsigned char const*>(name.c_str()), -1, -1, 0);
  X509_set_subject_name(made.get(), subject.get());
  X509_set_issuer_name(made.get(), subject.get());
  X509_set_pubkey(made.get(), key.native_handle());
  X509_sign(made.get(), key.native_handle(), EVP_sha256());
  return certificate::from_native(made.get());
}

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
