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
    socket_handle const closed_after(std::exchange(descriptor_, other.release()));
    return *this;
  }
  ~socket_handle();

  int get() const noexcept { return descriptor_; }
  int release() noexcept { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_ = -1;
};

/** What a blocking stream is behind its handle: as `core`, without executor.

    A thread that reads and one that writes share it: the mutex is held around all that touches the
    engine or the gates, and by nobody who waits.

    While there is a reader, input is the reader's alone: it waits for the socket, and nobody can
    wake it. A writer, too, may need input, the rest of a message that is half here. It waits until
    the reader has looked at what came, or for the socket as long as there is no reader.
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
  void interrupt() noexcept {}   // a reader takes what is unsent along when it looks again
  void input_done() noexcept { wake_writer(); }

  /** Waits, without the mutex, which the caller holds.
      @param reads  True for whoever holds the reading direction. */
  interruption wait(action what, bool reads, give_up_at until, error_code& failed);

  /** Ends the operations that are pending, and those to come, with operation_aborted. */
  void close() noexcept;

 private:
  interruption wait_beside_reader(action what, give_up_at until, error_code& failed);
  void wake_writer() noexcept {
    if (writer_waits_) writer_.wake();
  }

  socket_handle socket_;
  native_channel channel_;
  ssl_engine engine_;
  waker writer_;   // made when a writer waits for input, which is rare
  bool writer_waits_ = false;
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
    if (in_time) by = core->wait(next, operation.reads(), until, failed);
    next = operation.advance(failed, by);
  }
  code = operation.error();
  return operation.transferred();
}

}  // namespace cotls::detail
