#pragma once

#include <openssl/types.h>

#include <string>

namespace cotls::detail {

/** Leaves of the TLS 1.2 suites of a context those with forward secrecy and authenticated
    encryption (RFC 9325 sections 4.1 and 4.2): of what the system's policy has left, and in its
    order. False when OpenSSL fails. */
bool keep_modern_suites(SSL_CTX* context);

/** Sets the suites of TLS 1.2 and of TLS 1.3, whole or not at all; an empty list stays as it is.

    OpenSSL skips the words that it does not know, and takes suites that encrypt nothing (T25).
    @par Errors `errc::invalid_setting`, naming the word: one that OpenSSL does not know; a suite
    that encrypts nothing, or by which nobody is verified. */
void set_cipher_lists(SSL_CTX* context, std::string const& tls12, std::string const& tls13);


}  // namespace cotls::detail
