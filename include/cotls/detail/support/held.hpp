#pragma once

#include <cotls/error.hpp>

namespace cotls::detail {

/** Returns what a handle stands for.
    @par Errors `errc::not_connected` for a handle that is empty */
template <class Pointer>
auto& held(Pointer const& handle) {
  if (!handle) throw error(errc::not_connected);
  return *handle;
}

}  // namespace cotls::detail
