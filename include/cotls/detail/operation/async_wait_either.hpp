#pragma once

#include <cotls/detail/support/carried_handler.hpp>
#include <cotls/error.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <memory>
#include <mutex>
#include <utility>

namespace cotls::detail {

namespace asio = boost::asio;

/// A wait for a socket's input and one for its output: the first to end cancels the other, and the
/// handler runs when both have ended. On an executor of several threads the two may end at once.
template <class Handler, class Executor>
class either_wait : public std::enable_shared_from_this<either_wait<Handler, Executor>> {
 public:
  either_wait(Handler&& handler, Executor const& executor)
      : handler_(std::move(handler)),
        executor_(asio::get_associated_executor(handler_, executor)) {}

  // The slot is its owner's, who may emit on another thread when the waits end: it is given a
  // handler here, and not touched again.
  template <class Socket>
  void start(Socket& socket) {
    std::scoped_lock const lock(mutex_);
    if (auto slot = asio::get_associated_cancellation_slot(handler_); slot.is_connected()) {
      // It may belong to what the handler owns: it must not own the handler in turn.
      slot.assign([weak = this->weak_from_this()](asio::cancellation_type type) {
        if (auto const self = weak.lock()) self->cancel(type);
      });
    }
    socket.async_wait(Socket::wait_read, part(input_));
    socket.async_wait(Socket::wait_write, part(output_));
  }

 private:
  auto part(asio::cancellation_signal& signal) {
    return asio::bind_cancellation_slot(
        signal.slot(), asio::bind_executor(executor_, [self = this->shared_from_this()](
                                                          error_code code) { self->ended(code); }));
  }

  void cancel(asio::cancellation_type type) {
    std::scoped_lock const lock(mutex_);
    input_.emit(type);
    output_.emit(type);
  }

  void ended(error_code code) {
    {
      std::scoped_lock const lock(mutex_);
      if (--pending_ > 0) {
        result_ = code;
        input_.emit(asio::cancellation_type::total);
        output_.emit(asio::cancellation_type::total);
        return;
      }
    }
    auto last = bind_args(std::move(handler_), result_);
    run_for(last.carried, last);
  }

  Handler handler_;
  asio::associated_executor_t<Handler, Executor> executor_;
  std::mutex mutex_;
  asio::cancellation_signal input_;
  asio::cancellation_signal output_;
  error_code result_;
  int pending_ = 2;
};

/** Waits until a socket has input or takes output, whichever is first. `void(error_code)`. */
template <class Socket, class Token>
auto async_wait_either(Socket& socket, Token&& token) {
  return asio::async_initiate<Token, void(error_code)>(
      [](auto handler, Socket* over) {
        using handler_type = decltype(handler);
        using executor_type = typename Socket::executor_type;
        std::make_shared<either_wait<handler_type, executor_type>>(std::move(handler),
                                                                   over->get_executor())
            ->start(*over);
      },
      token, &socket);
}

}  // namespace cotls::detail
