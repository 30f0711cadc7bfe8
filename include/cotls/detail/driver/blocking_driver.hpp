#pragma once

#include <cotls/detail/operation/operation.hpp>
#include <cotls/detail/support/moment.hpp>

#include <chrono>
#include <cstddef>

namespace cotls::detail {

/** Runs an operation on the calling thread; returns what it transferred. Without a core, the
    operation says that there is no connection.

    The first wait is granted whatever the time, so that a call without any time takes what is here.
    From then on the clock is looked at, too: a peer for which there never is anything to wait for
    must not hold the call beyond its deadline (A7).
*/
template <class Operation, class Core, class... Args>
std::size_t run_blocking(Core* core, give_up_at until, error_code& code, Args const&... args) {
  Operation operation(core, args...);
  action next = operation.advance();
  for (bool in_time = true; next != action::complete;
       in_time = !until || std::chrono::steady_clock::now() < *until) {
    error_code failed;
    interruption by = interruption::deadline;
    if (in_time) by = core->wait(next, operation.reads(), until, failed);
    next = operation.advance(failed, by);
  }
  code = operation.error();
  return operation.transferred();
}

}  // namespace cotls::detail
