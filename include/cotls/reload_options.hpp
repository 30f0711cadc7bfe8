#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <utility>

namespace cotls {

/** How a listener looks after the files of its context (`listener::reload_when_changed`). */
class reload_options {
 public:
  using observer_type = std::function<void(std::exception_ptr)>;

  reload_options() {}

  /** The time between two looks at the files. 1 s by default. */
  reload_options& interval(std::chrono::steady_clock::duration time) {
    interval_ = time;
    return *this;
  }

  /** Is told of each attempt to make a context, but for the first, which is the caller's to know
      of: with what was thrown, or with null when the new context is in use. Called on the
      listener's executor; what it throws is caught and lost. */
  reload_options& observer(observer_type function) {
    observer_ = std::move(function);
    return *this;
  }

  std::chrono::steady_clock::duration interval() const noexcept { return interval_; }
  observer_type const& observer() const noexcept { return observer_; }

 private:
  std::chrono::steady_clock::duration interval_ = std::chrono::seconds(1);
  observer_type observer_;
};

}  // namespace cotls
