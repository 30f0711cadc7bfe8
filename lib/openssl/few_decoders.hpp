#pragma once

#include <openssl/types.h>

namespace cotls::detail {

/** Returns a library context that has what the default one has, but of its decoders only those that
    read a public key as certificates have it; null where it would not be the same, or is of no use.

    OpenSSL before 3.2 sets up all of its 40 decoders for each key of each certificate that a peer
    shows, a tenth of a handshake (T19). Where the default context has another provider than the
    default one, is not this thread's default, or asks for FIPS, it has no substitute. The context
    lasts as long as the process. */
OSSL_LIB_CTX* library_of_few_decoders() noexcept;

/** Whether this OpenSSL gains by it. */
bool decoders_are_costly() noexcept;

}  // namespace cotls::detail
