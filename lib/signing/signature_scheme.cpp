#include <cotls/signer.hpp>

#include "openssl/openssl_error.hpp"
#include "signing/signer_library.hpp"

#include <openssl/evp.h>

#include <string>

namespace cotls {

std::string_view to_string(signature_scheme value) noexcept {
  switch (value) {
    case signature_scheme::rsa_pkcs1_sha1: return "rsa_pkcs1_sha1";
    case signature_scheme::ecdsa_sha1: return "ecdsa_sha1";
    case signature_scheme::rsa_pkcs1_sha224: return "rsa_pkcs1_sha224";
    case signature_scheme::ecdsa_sha224: return "ecdsa_sha224";
    case signature_scheme::rsa_pkcs1_sha256: return "rsa_pkcs1_sha256";
    case signature_scheme::ecdsa_secp256r1_sha256: return "ecdsa_secp256r1_sha256";
    case signature_scheme::rsa_pkcs1_sha384: return "rsa_pkcs1_sha384";
    case signature_scheme::ecdsa_secp384r1_sha384: return "ecdsa_secp384r1_sha384";
    case signature_scheme::rsa_pkcs1_sha512: return "rsa_pkcs1_sha512";
    case signature_scheme::ecdsa_secp521r1_sha512: return "ecdsa_secp521r1_sha512";
    case signature_scheme::rsa_pss_rsae_sha256: return "rsa_pss_rsae_sha256";
    case signature_scheme::rsa_pss_rsae_sha384: return "rsa_pss_rsae_sha384";
    case signature_scheme::rsa_pss_rsae_sha512: return "rsa_pss_rsae_sha512";
    case signature_scheme::ed25519: return "ed25519";
    case signature_scheme::ed448: return "ed448";
    case signature_scheme::rsa_pss_pss_sha256: return "rsa_pss_pss_sha256";
    case signature_scheme::rsa_pss_pss_sha384: return "rsa_pss_pss_sha384";
    case signature_scheme::rsa_pss_pss_sha512: return "rsa_pss_pss_sha512";
  }
  return "unknown";
}

std::string_view hash_of(signature_scheme value) noexcept {
  switch (value) {
    case signature_scheme::rsa_pkcs1_sha1:
    case signature_scheme::ecdsa_sha1: return "SHA1";
    case signature_scheme::rsa_pkcs1_sha224:
    case signature_scheme::ecdsa_sha224: return "SHA2-224";
    case signature_scheme::rsa_pkcs1_sha256:
    case signature_scheme::ecdsa_secp256r1_sha256:
    case signature_scheme::rsa_pss_rsae_sha256:
    case signature_scheme::rsa_pss_pss_sha256: return "SHA2-256";
    case signature_scheme::rsa_pkcs1_sha384:
    case signature_scheme::ecdsa_secp384r1_sha384:
    case signature_scheme::rsa_pss_rsae_sha384:
    case signature_scheme::rsa_pss_pss_sha384: return "SHA2-384";
    case signature_scheme::rsa_pkcs1_sha512:
    case signature_scheme::ecdsa_secp521r1_sha512:
    case signature_scheme::rsa_pss_rsae_sha512:
    case signature_scheme::rsa_pss_pss_sha512: return "SHA2-512";
    case signature_scheme::ed25519:
    case signature_scheme::ed448: break;
  }
  return {};
}

std::vector<unsigned char> signature_request::digest() const {
  std::string const hash(hash_of(scheme_));
  if (hash.empty()) return {};
  std::vector<unsigned char> made(EVP_MAX_MD_SIZE);
  std::size_t size = 0;
  if (EVP_Q_digest(detail::signers_library(), hash.c_str(), nullptr, message_.data(),
                   message_.size(), made.data(), &size) != 1) {
    detail::throw_openssl_error({}, "hashing what is to be signed");
  }
  made.resize(size);
  return made;
}

}  // namespace cotls
