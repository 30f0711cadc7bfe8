#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace bench {

/** The coroutine of implementations without Asio. It starts when it is awaited; one that never has
    to wait costs its frame and nothing else. */
template <class T = void>
class task;

namespace detail {

struct task_promise_base {
  struct at_end {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      if (ended.promise().caller) ended.promise().caller.resume();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  at_end final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { thrown = std::current_exception(); }

  std::coroutine_handle<> caller;  // empty while the caller itself runs the task
  std::exception_ptr thrown;
};

template <class T>
struct task_promise : task_promise_base {
  task<T> get_return_object() noexcept;
  void return_value(T given) { value.emplace(std::move(given)); }
  T result() { return std::move(*value); }

  std::optional<T> value;
};

template <>
struct task_promise<void> : task_promise_base {
  task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void result() const noexcept {}
};

}  // namespace detail

template <class T>
class task {
 public:
  using promise_type = detail::task_promise<T>;

  explicit task(std::coroutine_handle<promise_type> owned) noexcept : owned_(owned) {}
  task(task&& other) noexcept : owned_(std::exchange(other.owned_, nullptr)) {}
  task& operator=(task&&) = delete;
  ~task() {
    if (owned_) owned_.destroy();
  }

  bool await_ready() const noexcept { return false; }

  // Runs the task inside the caller: one that ends at once uses up no stack.
  bool await_suspend(std::coroutine_handle<> caller) {
    owned_.resume();
    if (owned_.done()) return false;
    owned_.promise().caller = caller;
    return true;
  }

  T await_resume() {
    if (owned_.promise().thrown) std::rethrow_exception(owned_.promise().thrown);
    return owned_.promise().result();
  }

 private:
  std::coroutine_handle<promise_type> owned_;
};

template <class T>
task<T> detail::task_promise<T>::get_return_object() noexcept {
  return task<T>(std::coroutine_handle<task_promise>::from_promise(*this));
}

inline task<void> detail::task_promise<void>::get_return_object() noexcept {
  return task<void>(std::coroutine_handle<task_promise>::from_promise(*this));
}

/** What a call that has been made already returns where it can be awaited. */
template <class T>
class ready {
 public:
  explicit ready(T value) noexcept : value_(std::move(value)) {}

  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  T await_resume() noexcept { return std::move(value_); }

 private:
  T value_;
};

}  // namespace bench
