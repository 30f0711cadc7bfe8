#pragma once

#include <cotls/error.hpp>

#include <stdexcept>

namespace cotls::test {

/** Returns what a call throws. @par Errors std::logic_error when it throws nothing */
template <class Call>
error failure_of(Call const& call) {
  try {
    call();
  } catch (error const& thrown) {
    return thrown;
  }
  throw std::logic_error("it was not refused");
}

}  // namespace cotls::test
