#pragma once

#include <utility>

namespace cotls::detail {

/// An initiating function, and the executor of what it is a function of: tokens that need a timer,
/// as `cancel_after` does, make it there (A20).
template <class Executor, class Function>
class initiation {
 public:
  using executor_type = Executor;

  initiation(Executor executor, Function function)
      : executor_(std::move(executor)), function_(std::move(function)) {}

  executor_type get_executor() const noexcept { return executor_; }

  template <class... Args>
  void operator()(Args&&... args) const {
    function_(std::forward<Args>(args)...);
  }

 private:
  Executor executor_;
  Function function_;
};

}  // namespace cotls::detail
