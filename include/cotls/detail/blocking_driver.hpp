#pragma once

#include <cotls/detail/operation.hpp>
#include <cotls/detail/ssl_engine.hpp>

#include <chrono>
#include <optional>
#include <utility>

namespace cotls::detail {

/** The moment at which a call gives up; none: it waits as long as it takes. */
using give_up_at = std::optional<std::chrono::steady_clock::time_point>;

/** Waits until a descriptor has input or takes output, as the action asks; false when the moment
    has passed. (`poll`)
    @par Errors `boost::system::system_error` */
bool wait_for(int descriptor, action what, give_up_at until);

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

 private:
  socket_handle socket_;
  native_channel channel_;
  ssl_engine engine_;
};

/** Drives an operation on the calling thread. A yield has nobody to yield to. */
template <class Operation>
void run_blocking(blocking_core& core, Operation& operation, give_up_at until) {
  action next = operation.advance();
  while (next != action::complete) {
    error_code waited;
    bool in_time = true;
    try {
      in_time = next == action::yield || wait_for(core.descriptor(), next, until);
    } catch (boost::system::system_error const& failed) {
      waited = failed.code();
    }
    next = operation.advance(waited, in_time ? interruption::none : interruption::deadline);
  }
}

}  // namespace cotls::detail
