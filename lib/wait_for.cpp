#include <cotls/detail/wait_for.hpp>

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace cotls::detail {

namespace {

short events_of(action what) noexcept {
  switch (what) {
    case action::wait_input: return POLLIN;
    case action::wait_output: return POLLOUT;
    case action::wait_either: return POLLIN | POLLOUT;
    case action::yield:
    case action::complete: break;
  }
  return 0;
}

// The rest of the time, for poll: rounded up, so that it does not end early.
int milliseconds_until(give_up_at until) {
  if (!until) return -1;
  auto const left = std::chrono::ceil<std::chrono::milliseconds>(
                        *until - std::chrono::steady_clock::now())
                        .count();
  return static_cast<int>(std::clamp<long long>(left, 0, INT_MAX));
}

}  // namespace

bool wait_for(int descriptor, action what, give_up_at until, error_code& failed) {
  // poll looks past a negative descriptor, and would wait for nothing, for ever.
  if (descriptor < 0) {
    failed = asio::error::bad_descriptor;
    return false;
  }
  for (;;) {
    pollfd waited{descriptor, events_of(what), 0};
    int const ready = ::poll(&waited, 1, milliseconds_until(until));
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno == EINTR) continue;
    failed = error_code(errno, boost::system::system_category());
    return false;
  }
}

}  // namespace cotls::detail
