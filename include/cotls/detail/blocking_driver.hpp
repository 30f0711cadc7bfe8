#pragma once

#include <cotls/detail/operation.hpp>
#include <cotls/detail/ssl_engine.hpp>
#include <cotls/detail/wait_for.hpp>

#include <cstddef>
#include <utility>

namespace cotls::detail {

/// A descriptor that is closed with its owner.
class socket_handle {
 public:
  socket_handle() noexcept = default;
  explicit socket_handle(int descriptor) noexcept : descriptor_(descriptor) {}
  socket_handle(socket_handle&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  socket_handle& operator=(socket_handle&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~socket_handle();

  int get() const noexcept { return descriptor_; }

 private:
  int descriptor_ = -1;
};

/** What a blocking stream is behind its handle: as `core`, without executor and without waking. */
class blocking_core {
 public:
  template <class Context, class... Options>
  blocking_core(socket_handle socket, Context const& context, Options const&... options)
      : socket_(std::move(socket)),
        channel_(&socket_,
                 [](void* handle) { return static_cast<socket_handle*>(handle)->get(); }),
        engine_(context, channel_, options...) {}

  int descriptor() const noexcept { return socket_.get(); }

  // What operations need (operation.hpp).
  ssl_engine& engine() noexcept { return engine_; }
  gate reading;
  gate writing;
  void interrupt() noexcept {}
  void input_done() noexcept {}

  interruption wait(action what, give_up_at until, error_code& failed) const {
    bool const ready = wait_for(descriptor(), what, until, failed);
    return ready || failed ? interruption::none : interruption::deadline;
  }

 private:
  socket_handle socket_;
  native_channel channel_;
  ssl_engine engine_;
};

/** Runs an operation on the calling thread; returns what it transferred. A yield has nobody to
    yield to. Without a core, the operation says that there is no connection. */
template <class Operation, class Core, class... Args>
std::size_t run_blocking(Core* core, give_up_at until, error_code& code, Args const&... args) {
  Operation operation(core, args...);
  action next = operation.advance();
  while (next != action::complete) {
    error_code failed;
    interruption by = interruption::none;
    if (next != action::yield) by = core->wait(next, until, failed);
    next = operation.advance(failed, by);
  }
  code = operation.error();
  return operation.transferred();
}

}  // namespace cotls::detail
