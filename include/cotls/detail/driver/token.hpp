#pragma once

#include <cotls/error.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

namespace cotls::detail {

namespace asio = boost::asio;

/// The token of an operation whose caller gives none: the executor's own (`as_default_on`),
/// otherwise use_awaitable.
template <class Executor, class = void>
struct default_token {
  using type = asio::use_awaitable_t<>;
};
template <class Executor>
struct default_token<Executor, std::void_t<typename Executor::default_completion_token_type>> {
  using type = typename Executor::default_completion_token_type;
};
template <class Executor>
using default_token_t = typename default_token<Executor>::type;

/** How an awaitable of our own ends, for the tokens that ask for one. Other tokens have `value`
    false and take the way of composed operations.

    `result<T...>` is the awaitable's value; `finish` makes it, or throws. `Failure` is called for
    the exception only when one is thrown.
*/
template <class Token>
struct awaitable_token {
  static constexpr bool value = false;
};

template <class... T>
struct awaited_values;
template <>
struct awaited_values<> {
  using type = void;
};
template <class T>
struct awaited_values<T> {
  using type = T;
};

template <class Executor>
struct awaitable_token<asio::use_awaitable_t<Executor>> {
  static constexpr bool value = true;
  using executor_type = Executor;
  template <class... T>
  using result = typename awaited_values<T...>::type;

  explicit awaitable_token(asio::use_awaitable_t<Executor> const&) noexcept {}

  template <class Failure, class... T>
  result<T...> finish(error_code const& code, Failure const& failure, T&&... values) const {
    if (code) throw failure(code);
    if constexpr (sizeof...(T) > 0) return (std::forward<T>(values), ...);
  }
};

template <class Executor>
struct awaitable_token<asio::as_tuple_t<asio::use_awaitable_t<Executor>>> {
  static constexpr bool value = true;
  using executor_type = Executor;
  template <class... T>
  using result = std::tuple<error_code, T...>;

  explicit awaitable_token(asio::as_tuple_t<asio::use_awaitable_t<Executor>> const&) noexcept {}

  template <class Failure, class... T>
  std::tuple<error_code, std::decay_t<T>...> finish(error_code const& code, Failure const&,
                                                    T&&... values) const {
    return {code, std::forward<T>(values)...};
  }
};

template <class Executor>
struct awaitable_token<asio::redirect_error_t<asio::use_awaitable_t<Executor>>> {
  static constexpr bool value = true;
  using executor_type = Executor;
  template <class... T>
  using result = typename awaited_values<T...>::type;

  explicit awaitable_token(
      asio::redirect_error_t<asio::use_awaitable_t<Executor>> const& token) noexcept
      : error_(&token.ec_) {}

  template <class Failure, class... T>
  result<std::decay_t<T>...> finish(error_code const& code, Failure const&, T&&... values) const {
    *error_ = code;
    if constexpr (sizeof...(T) > 0) return (std::forward<T>(values), ...);
  }

 private:
  error_code* error_;
};

}  // namespace cotls::detail
