#pragma once

#include <cotls/detail/operation.hpp>
#include <cotls/error.hpp>

#include <boost/asio/error.hpp>

#include <chrono>
#include <optional>
#include <span>

struct pollfd;

namespace cotls::detail {

/** The moment at which a call gives up; none: it waits as long as it takes. */
using give_up_at = std::optional<std::chrono::steady_clock::time_point>;

/** The moment after a time; none for the longest time that there is. */
give_up_at give_up_after(std::chrono::steady_clock::duration limit);

/** Waits until something has happened, or until the moment has passed. (`poll`)
    @return How many have something to say; 0 at the moment, and when polling failed. */
int poll_until(std::span<pollfd> waited, give_up_at until, error_code& failed) noexcept;

/** Waits on the calling thread until a descriptor has input or takes output, as the action asks; a
    yield does not wait. Says in `failed` why it could not.
    @return `interruption::deadline` when the moment has passed before. */
interruption wait_for(int descriptor, action what, give_up_at until, error_code& failed) noexcept;

/** Wakes a thread that polls. Holds a descriptor from the first `prepare` on. (`eventfd`) */
class waker {
 public:
  waker() noexcept = default;
  waker(waker const&) = delete;
  waker& operator=(waker const&) = delete;
  ~waker();

  /** Makes sure that it can be waited for. @return False, with `failed`, when it cannot. */
  bool prepare(error_code& failed) noexcept;

  int descriptor() const noexcept { return descriptor_; }
  void wake() noexcept;

  /** Forgets that it was woken. */
  void rest() noexcept;

 private:
  int descriptor_ = -1;
};

/** Waits for a socket of Asio's. One that its user has made non-blocking is only looked at: it is
    said to fail with `would_block`, as its own calls do. */
template <class Socket>
interruption wait_for_socket(Socket& socket, action what, give_up_at until, error_code& failed) {
  bool const only_looks = socket.non_blocking();
  if (only_looks) until = std::chrono::steady_clock::now();
  interruption const by = wait_for(socket.native_handle(), what, until, failed);
  if (!only_looks || by == interruption::none) return by;
  failed = asio::error::would_block;
  return interruption::none;
}

}  // namespace cotls::detail
