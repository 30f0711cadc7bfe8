#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace bench {

/** Ends a scenario whose own result is wrong. */
inline void require(bool holds, std::string_view what) {
  if (!holds) throw std::runtime_error("wrong result: " + std::string(what));
}

}  // namespace bench
