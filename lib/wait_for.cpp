#include <cotls/detail/wait_for.hpp>

#include <cotls/detail/deadline.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>

namespace cotls::detail {

namespace {

using clock = std::chrono::steady_clock;

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
int milliseconds_until(give_up_at until) noexcept {
  if (!until) return -1;
  auto const left = std::chrono::ceil<std::chrono::milliseconds>(*until - clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, INT_MAX));
}

}  // namespace

give_up_at give_up_after(clock::duration limit) {
  if (limit == clock::duration::max()) return std::nullopt;
  return moment_after(limit);
}

int poll_until(std::span<pollfd> waited, give_up_at until, error_code& failed) noexcept {
  for (;;) {
    int const limit = milliseconds_until(until);
    int const ready = ::poll(waited.data(), static_cast<nfds_t>(waited.size()), limit);
    if (ready > 0) return ready;
    if (ready == 0 && limit < INT_MAX) return 0;
    if (ready < 0 && errno != EINTR) {
      failed = error_code(errno, boost::system::system_category());
      return 0;
    }
  }
}

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

waker::~waker() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool waker::prepare(error_code& failed) noexcept {
  if (descriptor_ < 0) descriptor_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor_ < 0) failed = error_code(errno, boost::system::system_category());
  return descriptor_ >= 0;
}

// A counter that is full is as good as one that was raised.
void waker::wake() noexcept {
  std::uint64_t const one = 1;
  [[maybe_unused]] auto const written = ::write(descriptor_, &one, sizeof one);
}

void waker::rest() noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] auto const taken = ::read(descriptor_, &count, sizeof count);
}

}  // namespace cotls::detail
