#pragma once

#include <cotls/revocation_options.hpp>

#include <openssl/types.h>

#include <filesystem>

namespace cotls::detail {

/** Has verification heed the revocation lists of a store and of its directories (RFC 5280 section
    6.3): each certificate of a chain is looked up in the lists of its issuer, where there are any.

    OpenSSL by itself looks at none, or at the end entity's alone, or wants one of every authority,
    the root included (T23). */
void heed_revocation_lists(X509_STORE* store);

/** The same, and an end entity's certificate whose issuer has no list is refused; but for one that
    is itself what is trusted. */
void require_revocation_lists(X509_STORE* store);

/** Says how a store's lists are heeded.
    @par Errors OpenSSL's, when there is no memory */
void set_revocation_policy(X509_STORE* store, revocation_options const& policy);

/** Tells whether a hashed directory holds a revocation list: `4f06f81d.r0`. */
bool has_revocation_lists(std::filesystem::path const& directory);

}  // namespace cotls::detail
