#pragma once

#include <cotls/detail/engine/ssl_engine.hpp>
#include <cotls/detail/operation/asking.hpp>
#include <cotls/detail/operation/operation.hpp>
#include <cotls/detail/operation/transport.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace cotls::detail {

/// An engine that may ask the program.
template <class Engine>
concept asks = requires(Engine const& engine) { engine.asked(); };

/** What a stream is behind its handle: the transport, the engine over it, and the claims of the
    operations in progress, each of which keeps it alive while it waits. */
template <class Next, class Engine = ssl_engine>
class core final : public std::enable_shared_from_this<core<Next, Engine>> {
 public:
  using next_type = std::remove_reference_t<Next>;
  using executor_type = typename next_type::executor_type;

  template <class Context, class... Options>
  core(Next next, Context const& context, Options const&... options)
      : transport_(std::forward<Next>(next)), engine_(context, transport_.channel(), options...) {}

  next_type& next() noexcept { return transport_.next(); }

  /** Hands the transport to the program, which may do with it what it likes: from then on nothing
      of ours touches it but operations. */
  next_type& expose() noexcept { return transport_.expose(!reading.busy && !writing.busy); }

  /** Gives the transport back. What was asked for and has not begun ends when it does. */
  Next take_next() {
    reading.closed = writing.closed = true;
    return transport_.take_next();
  }

  executor_type executor() noexcept { return transport_.next().get_executor(); }
  detail::transport<Next>& transport() noexcept { return transport_; }

  // What operations need (operation.hpp).
  Engine& engine() noexcept { return engine_; }
  gate reading;
  gate writing;
  void interrupt() { transport_.interrupt(); }
  void input_done() { transport_.input_done(); }

  /** Starts what an action asks for; completes with `void(error_code)`. */
  template <class Token>
  auto async_wait(action what, Token&& token) {
    return asio::async_initiate<Token, void(error_code)>(
        [](auto handler, core* self, action asked) {
          if constexpr (asks<Engine>) {
            if (asked == action::ask) {
              return asking::start(self->engine_.asked(), self->executor(), std::move(handler));
            }
          }
          self->transport_.start(*self, asked, std::move(handler));
        },
        token, this, what);
  }

  /** Carries an action out on the calling thread, as far as one wait goes. A yield has nobody to
      yield to. */
  interruption wait(action what, bool, give_up_at until, error_code& failed) {
    if (what == action::yield) return interruption::none;
    if (what == action::ask) return answer_here(engine_.asked(), until, failed);
    return transport_.wait(what, until, failed);
  }

  /** Makes the exception for a failed operation. */
  error failure(error_code code, char const* operation) const {
    return engine_.failure_of(code, operation);
  }

  /** Gives up what the program is being asked, for which an operation waits. */
  void abandon_question() {
    if constexpr (asks<Engine>) {
      if (auto const asked = engine_.asked()) asked->abandon();
    }
  }

  /** Ends the operations that are pending, with operation_aborted. */
  void abandon() {
    reading.closed = writing.closed = true;
    abandon_question();
    if (reading.busy || writing.busy) transport_.abandon();
  }

  /** Ends the operations that are pending, with operation_aborted; others may follow. */
  void cancel() {
    reading.cancelled = reading.busy;
    writing.cancelled = writing.busy;
    abandon_question();
    if (reading.busy || writing.busy) transport_.interrupt();
  }

  /** Ends one direction's operation with operation_aborted; the other's goes on. */
  void cancel(gate& direction) {
    if (!direction.busy) return;
    gate& other = &direction == &reading ? writing : reading;
    direction.cancelled = true;
    other.woken = other.busy;
    abandon_question();
    transport_.interrupt();
  }

  /** Says that one direction's owner is gone, which ends its operation. With both, all that goes
      on over the transport ends. */
  void close(gate& direction) {
    direction.closed = true;
    if (reading.closed && writing.closed) return abandon();
    cancel(direction);
  }

  /** Ends the writing direction without waiting: with close_notify, as far as the transport takes
      it now or a reader takes it along, unless a write was cut, which the peer must not mistake for
      the end. */
  void end_writing() noexcept {
    bool const cut = writing.busy || engine_.unsent() > 0;
    try {
      if (!cut) engine_.close_write();
      if (!cut && engine_.unsent() > 0) transport_.flush_unattended(*this);
    } catch (...) {
      // The peer sees a truncated stream instead.
    }
    close(writing);
  }

 private:
  detail::transport<Next> transport_;
  Engine engine_;
};

}  // namespace cotls::detail
