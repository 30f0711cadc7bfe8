#pragma once

#include <openssl/core.h>

namespace cotls::detail {

/** Makes an entry of a provider's table of functions. */
template <class Function>
constexpr OSSL_DISPATCH dispatch(int id, Function* function) noexcept {
  return {id, reinterpret_cast<void (*)()>(function)};
}

}  // namespace cotls::detail
