#pragma once

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

namespace cotls::detail {

namespace asio = boost::asio;

/** What a function of the program's says: its answer, or the work that ends with it. */
template <class Answer>
using reply = std::variant<Answer, asio::awaitable<Answer>>;

/** A function of the program's that a handshake asks. It may answer at once, or be a coroutine. */
template <class Answer, class... Args>
using hook = std::function<reply<Answer>(Args...)>;

template <class T>
struct awaited_type {
  using type = T;
};
template <class T>
struct awaited_type<asio::awaitable<T>> {
  using type = T;
};

/// What can be asked so: it returns something that stands for an answer, or an awaitable of that.
template <class Function, class Answer, class... Args>
concept answers =
    std::invocable<Function&, Args...> &&
    std::convertible_to<typename awaited_type<std::invoke_result_t<Function&, Args...>>::type,
                        Answer>;

/// Null, or what can be asked.
template <class Function, class Answer, class... Args>
concept hook_for =
    std::same_as<Function, std::nullptr_t> || answers<Function, Answer, Args...>;

template <class Answer, class T>
asio::awaitable<Answer> converted(asio::awaitable<T> from) {
  co_return Answer(co_await std::move(from));
}

template <class Answer, class T>
reply<Answer> reply_of(T said) {
  return reply<Answer>(std::in_place_index<0>, std::move(said));
}

template <class Answer, class T>
reply<Answer> reply_of(asio::awaitable<T> work) {
  if constexpr (std::same_as<T, Answer>) {
    return reply<Answer>(std::in_place_index<1>, std::move(work));
  } else {
    return reply<Answer>(std::in_place_index<1>, converted<Answer>(std::move(work)));
  }
}

/// A pointer, or what says by itself whether there is something to call. (A lambda turns into a pointer
/// that never is null.)
template <class Function>
concept can_be_empty = std::is_pointer_v<Function> || requires(Function const& function) {
  { function.operator bool() } -> std::same_as<bool>;
};

/** Makes a hook of a function; an empty one of null and of what is empty itself. */
template <class Answer, class... Args, class Function>
hook<Answer, Args...> make_hook(Function function) {
  if constexpr (std::same_as<Function, std::nullptr_t>) {
    return nullptr;
  } else {
    if constexpr (can_be_empty<Function>) {
      if (!function) return nullptr;
    }
    // Where it stays for as long as its coroutines run, and may be one that can only be moved.
    auto const held = std::make_shared<Function>(std::move(function));
    return [held](Args... args) { return reply_of<Answer>((*held)(std::forward<Args>(args)...)); };
  }
}

}  // namespace cotls::detail
