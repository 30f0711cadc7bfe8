#pragma once

#include <cotls/certificate.hpp>

#include <openssl/types.h>

#include <string>

namespace cotls::detail {

/** Tells whether a private key belongs to a certificate. */
bool belongs_to(EVP_PKEY const* key, X509 const* certificate);

/** Throws unless a private key belongs to the first certificate of a chain.
    @par Errors `errc::wrong_chain_order` when it belongs to a later one; `errc::key_mismatch` with
    OpenSSL's reason */
void check_key_of(certificate_chain const& chain, EVP_PKEY const* key, std::string const& doing);

/** The same for a certificate of which no chain is known. */
void check_key_of(X509 const* certificate, EVP_PKEY const* key, std::string const& doing);

}  // namespace cotls::detail
