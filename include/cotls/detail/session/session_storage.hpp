#pragma once

#include <cotls/detail/support/hook.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace cotls::detail {

namespace asio = boost::asio;

using session_bytes = std::vector<unsigned char>;

/// What is kept by a name; nothing where nothing is.
using kept_session = std::optional<session_bytes>;

/// Returns what was kept by a name.
using take_hook = hook<kept_session, std::string const&>;

/// Keeps a session, and returns the work that this takes, if it does.
using put_hook = std::function<std::optional<asio::awaitable<void>>(
    std::string const&, session_bytes const&, std::chrono::seconds)>;

template <class Function>
concept takes_sessions = answers<Function, kept_session, std::string const&>;

template <class Function>
concept puts_sessions =
    std::invocable<Function&, std::string const&, session_bytes const&, std::chrono::seconds>;

template <class Function>
take_hook make_take(Function function) {
  return make_hook<kept_session, std::string const&>(std::move(function));
}

template <class Function>
put_hook make_put(Function function) {
  auto const held = std::make_shared<Function>(std::move(function));
  return [held](std::string const& name, session_bytes const& session,
                std::chrono::seconds lasting) -> std::optional<asio::awaitable<void>> {
    using result = std::invoke_result_t<Function&, std::string const&, session_bytes const&,
                                        std::chrono::seconds>;
    if constexpr (std::same_as<result, asio::awaitable<void>>) {
      return (*held)(name, session, lasting);
    } else {
      (*held)(name, session, lasting);
      return std::nullopt;
    }
  };
}

/// A session that was found, by its name.
struct found_session {
  std::string name;
  session_bytes bytes;
};

using found_sessions = std::vector<found_session>;

/** What the copies of a `session_store` share. */
class session_storage : public std::enable_shared_from_this<session_storage> {
 public:
  session_storage(asio::any_io_executor runs_puts, take_hook take, put_hook put)
      : runs_puts_(std::move(runs_puts)), take_(std::move(take)), put_(std::move(put)) {}

  void set_patience(std::chrono::steady_clock::duration longest) noexcept { patience_ = longest; }
  void set_max_puts(std::size_t count) noexcept { max_puts_ = count; }
  std::size_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

  /** Looks for sessions by each of these names. Whatever goes wrong is none, and so is what takes
      longer than the patience. */
  reply<found_sessions> take(std::vector<std::string> names);

  /** Keeps a session, and does not wait for it. */
  void put(std::string name, session_bytes session, std::chrono::seconds lasting) noexcept;

 private:
  struct search;

  asio::awaitable<found_sessions> go_on(std::shared_ptr<search> with);
  static asio::awaitable<void> look_up(std::shared_ptr<search> with);
  void lose() noexcept { lost_.fetch_add(1, std::memory_order_relaxed); }

  asio::any_io_executor const runs_puts_;
  take_hook const take_;
  put_hook const put_;
  std::chrono::steady_clock::duration patience_ = std::chrono::milliseconds(500);
  std::size_t max_puts_ = 256;
  std::atomic<std::size_t> putting_{0};
  std::atomic<std::size_t> lost_{0};
};

}  // namespace cotls::detail
