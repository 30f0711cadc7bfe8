#pragma once

#include "openssl/openssl_ptr.hpp"

#include <cotls/certificate.hpp>
#include <cotls/private_key.hpp>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <stdexcept>
#include <string>

namespace cotls::test {

/** Makes a bare certificate for a key, signed with itself.
    @param name   Its common name.
    @param other  Its subject alternative names, as OpenSSL's configuration has them; none if empty.
    @par Errors std::runtime_error for a key that does not sign */
inline certificate self_signed_for(private_key const& key, std::string const& name,
                                   std::string const& other = {}) {
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
  if (!other.empty()) {
    detail::x509_extension_ptr const names(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, other.c_str()));
    X509_add_ext(made.get(), names.get(), -1);
  }
  // Edwards curves have a digest of their own.
  bool const is_edwards = EVP_PKEY_is_a(key.native_handle(), "ED25519") == 1 ||
                          EVP_PKEY_is_a(key.native_handle(), "ED448") == 1;
  if (X509_sign(made.get(), key.native_handle(), is_edwards ? nullptr : EVP_sha256()) == 0) {
    throw std::runtime_error("no certificate for such a key");
  }
  return certificate::from_native(made.get());
}

}  // namespace cotls::test
