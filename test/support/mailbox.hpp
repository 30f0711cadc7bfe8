#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace cotls::test {

/** Hands values from one thread to another, in order. */
template <class T>
class mailbox {
 public:
  void put(T value) {
    {
      std::scoped_lock const lock(mutex_);
      values_.push_back(std::move(value));
    }
    arrived_.notify_one();
  }

  /** Waits for the next value.
      @par Errors std::runtime_error at the deadline */
  T take(std::chrono::steady_clock::duration limit = std::chrono::seconds(20)) {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, limit, [this] { return !values_.empty(); })) {
      throw std::runtime_error("nothing arrived within the deadline");
    }
    T value = std::move(values_.front());
    values_.pop_front();
    return value;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<T> values_;
};

}  // namespace cotls::test
