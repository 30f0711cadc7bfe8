#include <cotls/detail/operation/wait_for.hpp>

#include <cotls/detail/system/poll.hpp>

#include <poll.h>

namespace cotls::detail {

namespace {

short events_of(action what) noexcept {
  switch (what) {
    case action::wait_input: return POLLIN;
    case action::wait_output: return POLLOUT;
    case action::wait_either: return POLLIN | POLLOUT;
    case action::ask:
    case action::yield:
    case action::complete: break;
  }
  return 0;
}

}  // namespace

interruption wait_for(int descriptor, action what, give_up_at until, error_code& failed) noexcept {
  if (what == action::yield) return interruption::none;
  // poll looks past a negative descriptor, and would wait for nothing, for ever.
  if (descriptor < 0) {
    failed = asio::error::bad_descriptor;
    return interruption::none;
  }
  pollfd waited[]{{descriptor, events_of(what), 0}};
  bool const ready = poll_until(waited, until, failed) > 0;
  return ready || failed ? interruption::none : interruption::deadline;
}

}  // namespace cotls::detail
