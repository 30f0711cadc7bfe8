#pragma once

#include <cotls/detail/driver/awaitable_driver.hpp>
#include <cotls/detail/driver/composed_driver.hpp>
#include <cotls/detail/driver/token.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

// The driver of an operation is chosen by its completion token.

namespace cotls::detail {

/// Starts an operation that has no deadline.
template <class Operation, class Core, class Token, class... Args>
auto start(std::shared_ptr<Core> const& core, Token&& token, Args const&... args) {
  using ending = awaitable_token<std::decay_t<Token>>;
  if constexpr (ending::value) {
    return run_awaitable<Operation>(core, ending(token), args...);
  } else {
    return compose<Operation>(core, std::nullopt, std::forward<Token>(token), args...);
  }
}

/// Starts an operation that ends when the time is over.
template <class Operation, class Core, class Token, class... Args>
auto start_until(std::shared_ptr<Core> const& core, std::chrono::steady_clock::duration limit,
                 Token&& token, Args const&... args) {
  using ending = awaitable_token<std::decay_t<Token>>;
  if constexpr (ending::value) {
    return run_awaitable_until<Operation>(core, limit, ending(token), args...);
  } else {
    return compose<Operation>(core, limit, std::forward<Token>(token), args...);
  }
}

}  // namespace cotls::detail
