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

/** Returns the code of what a call throws; none when it returns. */
template <class Call>
error_code thrown_by(Call call) {
  try {
    call();
    return {};
  } catch (error const& thrown) {
    return thrown.code();
  }
}

}  // namespace cotls::test
