#pragma once

#include <cotls/detail/support/moment.hpp>
#include <cotls/detail/system/owned_descriptor.hpp>
#include <cotls/error.hpp>

#include <span>

struct pollfd;

namespace cotls::detail {

/** Waits until something has happened, or until the moment has passed. (`poll`)
    @return How many have something to say; 0 at the moment, and when polling failed. */
int poll_until(std::span<pollfd> waited, give_up_at until, error_code& failed) noexcept;

/** Wakes a thread that polls. Holds a descriptor from the first `prepare` on. (`eventfd`) */
class waker {
 public:
  /** Makes sure that it can be waited for. @return False, with `failed`, when it cannot. */
  bool prepare(error_code& failed) noexcept;

  int descriptor() const noexcept { return descriptor_.get(); }
  void wake() noexcept;

  /** Forgets that it was woken. */
  void rest() noexcept;

 private:
  owned_descriptor descriptor_;
};

}  // namespace cotls::detail
