#pragma once

#include <openssl/types.h>

#include <string>

namespace cotls::detail {

/** Returns a list of groups as OpenSSL is to have it: without those behind a question mark that it
    does not know. (OpenSSL itself reads the mark from 3.3 on.)
    @param like  A context whose algorithms they are looked for among.
    @par Errors errc::invalid_setting, naming a group that is not known and has no such mark; for a
    list of which nothing is left */
std::string known_groups(SSL_CTX const* like, std::string const& list);

/** The same of signature algorithms. */
std::string known_signatures(SSL_CTX const* like, std::string const& list);

}  // namespace cotls::detail
