#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/is_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/require.hpp>
#include <boost/asio/system_context.hpp>
#include <boost/asio/system_executor.hpp>

#include <utility>

namespace cotls::detail {

namespace asio = boost::asio;

/** Runs functions at once: where nothing else is known, the thread that calls is the only one that
    is not a foreign one. */
struct calling_thread {
  template <class Function>
  void execute(Function function) const {
    function();
  }

  static asio::execution_context& query(asio::execution::context_t) noexcept {
    return asio::system_executor().context();
  }
  static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
    return asio::execution::blocking.always;
  }
  friend bool operator==(calling_thread, calling_thread) noexcept { return true; }
  friend bool operator!=(calling_thread, calling_thread) noexcept { return false; }
};

/// Whether functions can be posted to an executor. To Asio's inline one they cannot, for instance,
/// nor to `any_completion_executor` (A19).
template <class Executor>
constexpr bool can_be_posted_to =
    asio::is_executor<Executor>::value ||
    asio::can_require<Executor, asio::execution::blocking_t::never_t>::value;

/** Completes an operation of something empty, which has no executor: on the handler's own, or at
    once. */
template <class Completion>
void complete_without_executor(Completion completion) {
  auto const executor = asio::get_associated_executor(completion, calling_thread());
  if constexpr (can_be_posted_to<std::decay_t<decltype(executor)>>) {
    asio::post(executor, std::move(completion));
  } else {
    executor.execute(std::move(completion));
  }
}

}  // namespace cotls::detail
