#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

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

    @par Concurrency The program answers wherever it likes, and two operations may wait: all that is
    public is thread-safe.
*/
class question {
 public:
  virtual ~question() = default;

  /** Returns the program's work, which ends when it has answered. Called once. */
  virtual asio::awaitable<void> answer() = 0;

  progress how_far() const noexcept { return progress_.load(std::memory_order_acquire); }

  /** True for whoever comes first: it has the program's work done. */
  bool claim() noexcept { return !claimed_.exchange(true); }

  /** Calls a function, once, when the program has answered or never will; at once if that is so. It
      must not throw. */
  void when_ended(std::function<void()> told);

  /** Says that nobody waits for the answer any more. The handshake fails. */
  void abandon() noexcept {
    settle(progress::abandoned, [] {});
  }

 protected:
  void wait() noexcept { progress_.store(progress::waiting, std::memory_order_relaxed); }

  /** Ends the wait, once.
      @param keep  Keeps what was said, when it is the first to be: nobody knows of it yet.
      @return False when it had ended before. */
  template <class Keep>
  bool settle(progress ended, Keep const& keep) {
    std::vector<std::function<void()>> told;
    {
      std::scoped_lock const lock(mutex_);
      if (how_far() != progress::waiting) return false;
      keep();
      progress_.store(ended, std::memory_order_release);
      told.swap(told_);
    }
    for (auto const& each : told) each();
    return true;
  }

 private:
  std::atomic<progress> progress_{progress::unasked};
  std::atomic<bool> claimed_{false};
  std::mutex mutex_;
  std::vector<std::function<void()>> told_;
};

/** The program's work, as long as which the question lives. */
asio::awaitable<void> work_on(std::shared_ptr<question> asked);

}  // namespace cotls::detail
