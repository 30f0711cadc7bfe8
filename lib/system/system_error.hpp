#pragma once

#include <cotls/error.hpp>

#include <cerrno>

namespace cotls::detail {

/** Returns why the last call of the system failed. (`errno`) */
inline error_code last_system_error() noexcept {
  return {errno, boost::system::system_category()};
}

}  // namespace cotls::detail
