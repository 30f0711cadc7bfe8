#pragma once

#include <cotls/detail/channel/native_channel.hpp>
#include <cotls/detail/engine/ssl_engine.hpp>
#include <cotls/detail/operation/operation.hpp>
#include <cotls/detail/support/moment.hpp>
#include <cotls/detail/system/owned_descriptor.hpp>
#include <cotls/detail/system/poll.hpp>

#include <mutex>
#include <utility>

namespace cotls::detail {

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
      : channel_({&socket_,
                  [](void* handle) { return static_cast<owned_descriptor*>(handle)->get(); }}),
        engine_(context, channel_, options...) {}

  void give_socket(owned_descriptor socket) noexcept {
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

  owned_descriptor socket_;
  native_channel channel_;
  ssl_engine engine_;
  waker writer_;   // made when a writer waits for input, which is rare
  bool writer_waits_ = false;
};

}  // namespace cotls::detail
