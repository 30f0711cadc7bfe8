#pragma once

#include <openssl/types.h>

namespace cotls::detail {

/** Called by OpenSSL's verification (`SSL_CTX_set_verify`): takes any certificate, verified or not.

    The result of the connection, and of each that resumes its session, is never `X509_V_OK`: what
    was taken without being looked at must not pass for verified, whoever asks. */
int take_unverified(int accepted, X509_STORE_CTX* store);

}  // namespace cotls::detail
