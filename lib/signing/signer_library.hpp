#pragma once

#include <openssl/types.h>

namespace cotls::detail {

inline constexpr char signers_provider[] = "cotls";
inline constexpr char of_signers[] = "provider=cotls";
inline constexpr char of_openssl[] = "provider=default";

/** Returns a library context of our own, with OpenSSL's default provider and the one whose keys
    sign elsewhere. It lasts as long as the process. Neither the program's default context nor
    openssl.cnf has to do with it.
    @par Errors OpenSSL's */
OSSL_LIB_CTX* signers_library();

}  // namespace cotls::detail
