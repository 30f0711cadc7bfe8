#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

namespace bench {

/** One end of the line between the program and a process of its own. */
class line {
 public:
  explicit line(int descriptor) noexcept : descriptor_(descriptor) {}
  line(line&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  line& operator=(line&&) = delete;
  ~line();

  template <class T>
  void send(T const& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    send_bytes(&value, sizeof value);
  }

  /** Waits for a value. @par Errors `std::runtime_error` when the other end is gone */
  template <class T>
  T receive() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    receive_bytes(&value, sizeof value);
    return value;
  }

  int descriptor() const noexcept { return descriptor_; }

 private:
  void send_bytes(void const* data, std::size_t size);
  void receive_bytes(void* data, std::size_t size);

  int descriptor_;
};

/** A process that runs a function, which must end within five minutes. Processes are made before
    the program has any thread, and so that each measures itself alone. */
class process {
 public:
  explicit process(std::function<void(line&)> const& body);
  process(process const&) = delete;
  process& operator=(process const&) = delete;

  /** Kills the process if it has not ended. */
  ~process();

  line& control() noexcept { return control_; }

  /** Waits for the end. @par Errors `std::runtime_error` when the function threw */
  void join();

 private:
  process(std::function<void(line&)> const& body, std::pair<line, line> ends);

  line control_;
  pid_t id_;
};

}  // namespace bench
