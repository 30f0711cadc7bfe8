#pragma once

#include <cotls/detail/driver/composed_driver.hpp>
#include <cotls/detail/driver/token.hpp>
#include <cotls/detail/operation/core.hpp>
#include <cotls/detail/operation/operation.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <tuple>
#include <utility>

namespace cotls::detail {

/// Makes the exception that an awaitable ends with, when it does.
template <class Core, class Operation>
struct failure_maker {
  Core* core;
  error operator()(error_code code) const {
    return core ? core->failure(code, Operation::name) : error(code);
  }
};

template <class Operation, bool Counts = Operation::counts_bytes>
struct awaited_by {
  template <class Ending>
  using type = typename Ending::template result<>;
};
template <class Operation>
struct awaited_by<Operation, true> {
  template <class Ending>
  using type = typename Ending::template result<std::size_t>;
};
template <class Operation, class Ending>
using awaited = typename awaited_by<Operation>::template type<Ending>;

/** Drives an operation as a coroutine, which finishes without suspending when it can.

    It keeps its connection: it may be started later than it was asked for, when the stream is gone,
    and ends then. Our awaitables never touch the caller's cancellation state. A state that was
    cancelled before we began says nothing of this operation: only what comes later counts.
*/
template <class Operation, class Core, class Ending, class... Args>
asio::awaitable<awaited<Operation, Ending>, typename Ending::executor_type> run_awaitable(
    std::shared_ptr<Core> core, Ending ending, Args... args) {
  Operation operation(core.get(), args...);
  if (action next = operation.advance(); next != action::complete) {
    asio::cancellation_state const state = co_await asio::this_coro::cancellation_state;
    auto const before = state.cancelled();
    do {
      error_code waited;
      if (next == action::yield) {
        co_await asio::post(core->executor(), asio::deferred);
      } else {
        std::tie(waited) = co_await core->async_wait(next, asio::as_tuple(asio::deferred));
      }
      next = operation.advance(waited, state.cancelled() != before ? interruption::cancelled
                                                                   : interruption::none);
    } while (next != action::complete);
  }
  failure_maker<Core, Operation> const failure{core.get()};
  if constexpr (Operation::counts_bytes) {
    co_return ending.finish(operation.error(), failure, operation.transferred());
  } else {
    co_return ending.finish(operation.error(), failure);
  }
}

/// Awaits an operation that has a deadline. Once a connection: the composed operation, which
/// serialises itself with its timer, is the driver, and this only makes the exception.
template <class Operation, class Core, class Ending, class... Args>
asio::awaitable<awaited<Operation, Ending>, typename Ending::executor_type> run_awaitable_until(
    std::shared_ptr<Core> core, std::chrono::steady_clock::duration limit, Ending ending,
    Args... args) {
  auto const result =
      co_await compose<Operation>(core, limit, asio::as_tuple(asio::deferred), args...);
  failure_maker<Core, Operation> const failure{core.get()};
  if constexpr (Operation::counts_bytes) {
    co_return ending.finish(std::get<0>(result), failure, std::size_t(std::get<1>(result)));
  } else {
    co_return ending.finish(std::get<0>(result), failure);
  }
}

}  // namespace cotls::detail
