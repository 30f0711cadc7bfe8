#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace cotls::detail {

namespace asio = boost::asio;

/// How far the program is with a question.
enum class progress : std::uint8_t {
  unasked,     ///< Nobody was asked yet.
  waiting,     ///< The program has not answered yet.
  answered,    ///< It has, or has thrown an exception.
  abandoned,   ///< It never will: its work was given up.
};

/** What an engine asks the program before it can go on.

    The answer, a refusal or an exception of the program's included, is between the question and its
    engine, which is called again when there is one. So a question that nobody waits for any more
    must not touch an engine that is gone: whoever answers too late is not heard.
*/
class question {
 public:
  virtual ~question() = default;

  /** Returns the program's work, which ends when it has answered; to all but the first who call
      this, what waits for that. */
  virtual asio::awaitable<void> answer() = 0;

  progress how_far() const noexcept { return progress_.load(std::memory_order_acquire); }

  /** Says that nobody waits for the answer any more. Thread-safe, as all that follows is. */
  void abandon() noexcept { settle(progress::abandoned); }

  /** Says how whoever has the program at work lets it stop. */
  void set_stop(std::function<void()> how) { stop_ = std::move(how); }

  /** Stops the program's work and the wait for it, if there is any. */
  void stop() const {
    if (stop_) stop_();
  }

 protected:
  void wait() noexcept { progress_.store(progress::waiting, std::memory_order_relaxed); }

  /** Ends the wait, once. */
  bool settle(progress ended) noexcept {
    progress before = progress::waiting;
    return progress_.compare_exchange_strong(before, ended, std::memory_order_acq_rel);
  }

 private:
  std::atomic<progress> progress_{progress::unasked};
  std::function<void()> stop_;
};

/** The program's work, as long as which the question lives. */
asio::awaitable<void> work_on(std::shared_ptr<question> asked);

}  // namespace cotls::detail
