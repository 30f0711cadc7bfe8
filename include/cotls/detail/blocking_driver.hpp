#pragma once

#include <cotls/detail/native_channel.hpp>
#include <cotls/detail/operation.hpp>
#include <cotls/detail/ssl_engine.hpp>
#include <cotls/detail/wait_for.hpp>

#include <chrono>
#include <cstddef>
#include <mutex>
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
  int release() noexcept { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_ = -1;
};

/** What a blocking stream is behind its handle: as `core`, without executor and without waking.

    A thread that reads and one that writes share it: the mutex is held around all that touches the
    engine or the gates, and by nobody who waits.
*/
class blocking_core {
 public:
  template <class Context, class... Options>
  explicit blocking_core(Context const& context, Options const&... options)
      : channel_(&socket_,
                 [](void* handle) { return static_cast<socket_handle*>(handle)->get(); }),
        engine_(context, channel_, options...) {}

  void give_socket(socket_handle socket) noexcept {
    socket_ = std::move(socket);
    channel_.set_dry(!engine_.is_server());   // a client speaks first
  }
  int take_socket() noexcept { return socket_.release(); }
  int descriptor() const noexcept { return socket_.get(); }

  std::mutex mutex;

  // What operations need (operation.hpp).
  ssl_engine& engine() noexcept { return engine_; }
  gate reading;
  gate writing;
  void interrupt() noexcept {}   // the other thread's poll: it looks again when it has reason to
  void input_done() noexcept {}

  /** Waits, without the mutex, which the caller holds. */
  interruption wait(action what, give_up_at until, error_code& failed) {
    mutex.unlock();
    interruption const by = wait_for(descriptor(), what, until, failed);
    mutex.lock();
    return by;
  }

 private:
  socket_handle socket_;
  native_channel channel_;
  ssl_engine engine_;
};

/** Runs an operation on the calling thread; returns what it transferred. Without a core, the
    operation says that there is no connection.

    The first wait is granted whatever the time, so that a call without any time takes what is here.
    From then on the clock is looked at, too: a peer for which there never is anything to wait for
    must not hold the call beyond its deadline (A7).
*/
template <class Operation, class Core, class... Args>
std::size_t run_blocking(Core* core, give_up_at until, error_code& code, Args const&... args) {
  Operation operation(core, args...);
  action next = operation.advance();
  for (bool in_time = true; next != action::complete;
       in_time = !until || std::chrono::steady_clock::now() < *until) {
    error_code failed;
    interruption by = interruption::deadline;
    if (in_time) by = core->wait(next, until, failed);
    next = operation.advance(failed, by);
  }
  code = operation.error();
  return operation.transferred();
}

}  // namespace cotls::detail
