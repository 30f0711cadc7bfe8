#pragma once

#include <openssl/core.h>

namespace cotls::detail {

/** Return our provider's algorithms for signing, and for decrypting, which explain why not. */
OSSL_ALGORITHM const* signer_signatures() noexcept;
OSSL_ALGORITHM const* signer_decryptions() noexcept;

}  // namespace cotls::detail
