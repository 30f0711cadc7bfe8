#include <cotls/detail/system/poll.hpp>

#include "system/system_error.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>

namespace cotls::detail {

namespace {

// The rest of the time, for poll: rounded up, so that it does not end early.
int milliseconds_until(give_up_at until) noexcept {
  if (!until) return -1;
  auto const rest = *until - std::chrono::steady_clock::now();
  auto const left = std::chrono::ceil<std::chrono::milliseconds>(rest).count();
  return static_cast<int>(std::clamp<long long>(left, 0, INT_MAX));
}

}  // namespace

int poll_until(std::span<pollfd> waited, give_up_at until, error_code& failed) noexcept {
  for (;;) {
    int const limit = milliseconds_until(until);
    int const ready = ::poll(waited.data(), static_cast<nfds_t>(waited.size()), limit);
    if (ready > 0) return ready;
    if (ready == 0 && limit < INT_MAX) return 0;
    if (ready < 0 && errno != EINTR) {
      failed = last_system_error();
      return 0;
    }
  }
}

bool waker::prepare(error_code& failed) noexcept {
  if (!descriptor_) descriptor_ = owned_descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!descriptor_) failed = last_system_error();
  return static_cast<bool>(descriptor_);
}

// A counter that is full is as good as one that was raised.
void waker::wake() noexcept {
  std::uint64_t const one = 1;
  [[maybe_unused]] auto const written = ::write(descriptor(), &one, sizeof one);
}

void waker::rest() noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] auto const taken = ::read(descriptor(), &count, sizeof count);
}

}  // namespace cotls::detail
