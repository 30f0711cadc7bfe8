#pragma once

#include <openssl/types.h>

#include <string>

namespace cotls::detail {

bool is_rsa(EVP_PKEY const* key) noexcept;

/// The kind and size of a key, public or private, as people name it: `"EC P-256"`, `"RSA 2048"`.
std::string key_kind(EVP_PKEY const* key);

}  // namespace cotls::detail
