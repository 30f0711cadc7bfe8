#pragma once

#include <cotls/detail/operation/core.hpp>
#include <cotls/detail/operation/deadline.hpp>
#include <cotls/detail/operation/operation.hpp>
#include <cotls/detail/support/calling_thread.hpp>
#include <cotls/detail/support/carried_handler.hpp>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace cotls::detail {

template <class Operation>
using completion_signature =
    std::conditional_t<Operation::counts_bytes, void(error_code, std::size_t), void(error_code)>;

/** Drives an operation for any completion token, as a composed operation of Asio's: handlers run on
    the associated executor, and the completion never inside the initiating function. */
template <class Core, class Operation>
class composed_driver {
  using clock = std::chrono::steady_clock;
  using deadline_type = deadline<typename Core::executor_type>;

 public:
  composed_driver(std::shared_ptr<Core> core, Operation operation,
                  std::optional<clock::duration> limit = std::nullopt)
      : core_(std::move(core)), operation_(std::move(operation)), limit_(limit) {}

  template <class Self>
  void operator()(Self& self) {
    if (next_ == action::yield) return go_on(self, {});
    if (next_ == action::complete && began_) return complete(self);
    began_ = true;
    self.reset_cancellation_state(asio::enable_total_cancellation());
    if (limit_) {
      deadline_ = std::make_shared<deadline_type>(core_->executor(), moment_after(*limit_));
      deadline_->start(asio::get_associated_executor(self, core_->executor()));
    }
    next_ = operation_.advance();
    if (next_ == action::complete) return asio::post(core_->executor(), std::move(self));
    follow(self);
  }

  template <class Self>
  void operator()(Self& self, error_code waited) {
    go_on(self, waited);
  }

 private:
  template <class Self>
  void go_on(Self& self, error_code waited) {
    next_ = operation_.advance(waited, interruption_of(self));
    follow(self);
  }

  template <class Self>
  interruption interruption_of(Self& self) const {
    if (self.get_cancellation_state().cancelled() != asio::cancellation_type::none) {
      return interruption::cancelled;
    }
    return deadline_ && deadline_->passed() ? interruption::deadline : interruption::none;
  }

  // Carries an action out. A deadline that has passed since the operation was asked ends it here.
  template <class Self>
  void follow(Self& self) {
    if (next_ == action::complete) return complete(self);
    auto const core = core_;
    if (next_ == action::yield) return asio::post(core->executor(), std::move(self));
    auto const until = deadline_;
    // With a deadline or without, so that what a transport does is compiled for one handler only.
    auto const wait = [&self, &core, what = next_](asio::cancellation_slot slot) {
      core->async_wait(what, bind_slot(slot, std::move(self)));
    };
    if (!until) return wait(self.get_cancellation_state().slot());
    if (start_wait(self, until, wait)) return;
    next_ = operation_.advance({}, interruption::deadline);
    asio::post(core->executor(), std::move(self));   // this may be the initiating function
  }

  template <class Self>
  void complete(Self& self) {
    if (deadline_) deadline_->finish();
    error_code const code = operation_.error();
    if constexpr (Operation::counts_bytes) {
      self.complete(code, operation_.transferred());
    } else {
      self.complete(code);
    }
  }

  std::shared_ptr<Core> core_;
  Operation operation_;
  std::optional<clock::duration> limit_;
  std::shared_ptr<deadline_type> deadline_;
  action next_ = action::complete;
  bool began_ = false;
};

/// The initiating function: an operation is made when it is started, which for a deferred one is
/// not when it is asked for. Some tokens ask for its executor (A20).
template <class Operation, class Core>
class initiate_composed {
 public:
  using executor_type = typename Core::executor_type;

  explicit initiate_composed(std::shared_ptr<Core> core) noexcept : core_(std::move(core)) {}

  executor_type get_executor() const {
    if (!core_) throw error(errc::not_connected);
    return core_->executor();
  }

  template <class Handler, class... Args>
  void operator()(Handler handler, std::optional<std::chrono::steady_clock::duration> limit,
                  Args const&... args) const {
    if (!core_) return complete_unconnected(std::move(handler));
    asio::async_compose<Handler, completion_signature<Operation>>(
        composed_driver<Core, Operation>(core_, Operation(core_.get(), args...), limit), handler,
        core_->next());
  }

 private:
  template <class Handler>
  static void complete_unconnected(Handler handler) {
    error_code const code = errc::not_connected;
    if constexpr (Operation::counts_bytes) {
      complete_without_executor(bind_args(std::move(handler), code, std::size_t(0)));
    } else {
      complete_without_executor(bind_args(std::move(handler), code));
    }
  }

  std::shared_ptr<Core> core_;
};

/** Starts an operation for any completion token. */
template <class Operation, class Core, class Token, class... Args>
auto compose(std::shared_ptr<Core> core,
             std::optional<std::chrono::steady_clock::duration> limit, Token&& token,
             Args const&... args) {
  return asio::async_initiate<Token, completion_signature<Operation>>(
      initiate_composed<Operation, Core>(std::move(core)), token, limit, args...);
}

}  // namespace cotls::detail
