#pragma once

#include <openssl/types.h>

namespace cotls::detail {

/** Has a context's connections tell their peer why they end, where they are refused once they are
    established. */
void let_refusals_be_told(SSL_CTX* of);

}  // namespace cotls::detail
