#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace cotls::detail {

/// Gives an OpenSSL object back with the function that OpenSSL has for its type.
template <auto Free>
struct openssl_deleter {
  template <class Object>
  void operator()(Object* object) const noexcept {
    Free(object);
  }
};

/// Gives back memory that OpenSSL allocated.
struct openssl_memory_deleter {
  void operator()(void* memory) const noexcept { OPENSSL_free(memory); }
};

/// Gives back a stack and its elements.
struct x509_stack_deleter {
  void operator()(STACK_OF(X509)* stack) const noexcept { sk_X509_pop_free(stack, X509_free); }
};

struct x509_info_stack_deleter {
  void operator()(STACK_OF(X509_INFO)* stack) const noexcept {
    sk_X509_INFO_pop_free(stack, X509_INFO_free);
  }
};

using asn1_integer_ptr = std::unique_ptr<ASN1_INTEGER, openssl_deleter<ASN1_INTEGER_free>>;
using asn1_object_ptr = std::unique_ptr<ASN1_OBJECT, openssl_deleter<ASN1_OBJECT_free>>;
using asn1_octet_string_ptr =
    std::unique_ptr<ASN1_OCTET_STRING, openssl_deleter<ASN1_OCTET_STRING_free>>;
using asn1_ia5string_ptr = std::unique_ptr<ASN1_IA5STRING, openssl_deleter<ASN1_IA5STRING_free>>;
using bignum_ptr = std::unique_ptr<BIGNUM, openssl_deleter<BN_free>>;
using bio_ptr = std::unique_ptr<BIO, openssl_deleter<BIO_free_all>>;
using evp_cipher_ptr = std::unique_ptr<EVP_CIPHER, openssl_deleter<EVP_CIPHER_free>>;
using general_name_ptr = std::unique_ptr<GENERAL_NAME, openssl_deleter<GENERAL_NAME_free>>;
using general_names_ptr = std::unique_ptr<GENERAL_NAMES, openssl_deleter<GENERAL_NAMES_free>>;
using openssl_memory_ptr = std::unique_ptr<unsigned char, openssl_memory_deleter>;
using openssl_string_ptr = std::unique_ptr<char, openssl_memory_deleter>;
using pkcs12_ptr = std::unique_ptr<PKCS12, openssl_deleter<PKCS12_free>>;
using pkcs8_info_ptr =
    std::unique_ptr<PKCS8_PRIV_KEY_INFO, openssl_deleter<PKCS8_PRIV_KEY_INFO_free>>;
using pkey_ptr = std::unique_ptr<EVP_PKEY, openssl_deleter<EVP_PKEY_free>>;
using ssl_ctx_ptr = std::unique_ptr<SSL_CTX, openssl_deleter<SSL_CTX_free>>;
using ssl_ptr = std::unique_ptr<SSL, openssl_deleter<SSL_free>>;
using ssl_session_ptr = std::unique_ptr<SSL_SESSION, openssl_deleter<SSL_SESSION_free>>;
using x509_extension_ptr = std::unique_ptr<X509_EXTENSION, openssl_deleter<X509_EXTENSION_free>>;
using x509_info_stack_ptr = std::unique_ptr<STACK_OF(X509_INFO), x509_info_stack_deleter>;
using x509_name_ptr = std::unique_ptr<X509_NAME, openssl_deleter<X509_NAME_free>>;
using x509_ptr = std::unique_ptr<X509, openssl_deleter<X509_free>>;
using x509_sig_ptr = std::unique_ptr<X509_SIG, openssl_deleter<X509_SIG_free>>;
using x509_stack_ptr = std::unique_ptr<STACK_OF(X509), x509_stack_deleter>;
using x509_store_ctx_ptr = std::unique_ptr<X509_STORE_CTX, openssl_deleter<X509_STORE_CTX_free>>;
using x509_store_ptr = std::unique_ptr<X509_STORE, openssl_deleter<X509_STORE_free>>;

}  // namespace cotls::detail
