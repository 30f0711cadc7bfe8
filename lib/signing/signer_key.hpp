#pragma once

#include <cotls/signer.hpp>

#include "openssl/openssl_ptr.hpp"

#include <openssl/core.h>

#include <optional>

namespace cotls::detail {

/** The kinds of keys that sign in TLS. */
enum class signing_kind { rsa, rsa_pss, ec, ed25519, ed448 };

/** What OpenSSL holds as the data of a key that signs elsewhere. */
struct signer_key {
  signing_kind kind;
  pkey_ptr public_part;         // of the default provider in our library context
  std::optional<signer> sign;   // of one that stands for a public key alone, none
};

/** Returns the key managements of our provider, one for each kind. */
OSSL_ALGORITHM const* signer_key_managements() noexcept;

/** Makes a key that has a signer sign.
    @param public_part  Of any provider's.
    @return Null for a kind of key that cannot sign in TLS.
    @par Errors OpenSSL's */
pkey_ptr make_signer_key(EVP_PKEY const* public_part, signer sign);

/** Tells whether a key is one that was made here. */
bool is_signer_key(EVP_PKEY const* key) noexcept;

/** Tells whether its signer is waited for. */
bool waits_for_signer(EVP_PKEY const* key) noexcept;

}  // namespace cotls::detail
