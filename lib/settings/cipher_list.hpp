#pragma once

#include <openssl/types.h>

#include <string>

namespace cotls::detail {

/** Leaves of the TLS 1.2 suites of a context those with forward secrecy and authenticated
    encryption (RFC 9325 sections 4.1 and 4.2): of what the system's policy has left, and in its
    order. False when OpenSSL fails. */
bool keep_modern_suites(SSL_CTX* context);

/** Checks suites of TLS 1.2 and of TLS 1.3, at the security level of a context.

    OpenSSL skips the words that it does not know, and takes suites that encrypt nothing (T25).
    @par Errors `errc::invalid_setting`, naming the word: one that OpenSSL does not know; a suite
    that encrypts nothing, or by which nobody is verified.
    @return The security level that the words leave. */
int check_cipher_lists(SSL_CTX* like, std::string const& tls12, std::string const& tls13);

/** Sets suites that were checked; an empty list stays as it is. */
void apply_cipher_lists(SSL_CTX* context, std::string const& tls12, std::string const& tls13);

/** Checks the suites that a context has.
    @par Errors errc::invalid_setting for one that encrypts nothing; at level 0, for one by which
    nobody is verified */
void check_selected_suites(SSL_CTX* context);

/** Gives a context the suites of TLS 1.2 and below that another has; where it has none, nothing. */
void copy_suites(SSL_CTX* from, SSL_CTX* to);

}  // namespace cotls::detail
