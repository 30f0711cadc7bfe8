#pragma once

#include <cotls/detail/support/moment.hpp>
#include <cotls/error.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

namespace cotls::detail {

namespace asio = boost::asio;

/** The deadline of one operation, and what ends the wait in which it passes.

    The timer may fire on another thread at the moment at which the wait ends, with no strand in
    sight (A15): all that both touch is behind the mutex, and a wait is started under it.
*/
template <class Executor>
class deadline : public std::enable_shared_from_this<deadline<Executor>> {
 public:
  using clock = std::chrono::steady_clock;

  deadline(Executor const& executor, clock::time_point when) : timer_(executor, when) {}

  template <class HandlerExecutor>
  void start(HandlerExecutor const& executor) {
    timer_.async_wait(
        asio::bind_executor(executor, [self = this->shared_from_this()](error_code code) {
          if (!code) self->interrupt(asio::cancellation_type::total);
        }));
  }

  /** Ends the wait in progress. */
  void interrupt(asio::cancellation_type type) {
    std::scoped_lock const lock(mutex_);
    if (!done_) wait_.emit(type);
  }

  /** By the clock, so that a loop which never waits meets its deadline too. */
  bool passed() const noexcept { return clock::now() >= timer_.expiry(); }

  /** Starts a wait, unless the deadline has passed. The slot it is given is the deadline's. */
  template <class Initiate>
  bool start_wait(Initiate&& initiate) {
    std::scoped_lock const lock(mutex_);
    if (passed()) return false;
    initiate(wait_.slot());
    return true;
  }

  /** Forgets the wait and stops the timer. */
  void finish() {
    {
      std::scoped_lock const lock(mutex_);
      done_ = true;
      wait_.slot().clear();
    }
    timer_.cancel();
  }

 private:
  asio::basic_waitable_timer<clock, asio::wait_traits<clock>, Executor> timer_;
  std::mutex mutex_;
  asio::cancellation_signal wait_;
  bool done_ = false;
};

/** Starts a wait of a composed operation's, which the deadline or the operation's cancellation
    ends; false when the deadline has passed already. `initiate` is given the wait's slot. */
template <class Self, class Executor, class Initiate>
bool start_wait(Self& self, std::shared_ptr<deadline<Executor>> const& until,
                Initiate const& initiate) {
  if (auto slot = self.get_cancellation_state().slot(); slot.is_connected()) {
    slot.assign([until](asio::cancellation_type type) { until->interrupt(type); });
  }
  return until->start_wait(initiate);
}

}  // namespace cotls::detail
