#pragma once

#include <cotls/detail/channel/channel.hpp>
#include <cotls/detail/channel/input_chunk.hpp>
#include <cotls/detail/channel/native_channel.hpp>
#include <cotls/detail/operation/async_wait_either.hpp>
#include <cotls/detail/operation/operation.hpp>
#include <cotls/detail/operation/wait_for.hpp>
#include <cotls/detail/support/waiting_list.hpp>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/defer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

/* How the actions of an operation are carried out, for each kind of transport:

     native socket     the channel calls recv and send; actions wait for the descriptor
     any AsyncStream   the channel is memory; actions read a chunk into it or write from it

   `start` is for operations that complete later, `wait` for those of a calling thread. */

namespace cotls::detail {

namespace asio = boost::asio;

template <class Next>
struct is_native_socket : std::false_type {};
template <class Executor>
struct is_native_socket<asio::basic_stream_socket<asio::ip::tcp, Executor>> : std::true_type {};
template <class Executor>
struct is_native_socket<asio::basic_stream_socket<asio::local::stream_protocol, Executor>>
    : std::true_type {};

/// A stream that has a socket of its own beneath it, and keeps no input back: Beast's.
template <class Next>
concept has_socket = is_native_socket<
    std::remove_reference_t<decltype(std::declval<Next&>().socket())>>::value;

/// A transport whose lowest layer has the addresses of both ends.
template <class Next>
concept has_endpoints = requires(Next& next) {
  next.lowest_layer().local_endpoint();
  next.lowest_layer().remote_endpoint();
};

template <class Next, bool Native = is_native_socket<std::remove_reference_t<Next>>::value>
class transport;

/// A socket whose descriptor the channel reads and writes itself.
template <class Next>
class transport<Next, true> {
 public:
  using next_type = std::remove_reference_t<Next>;

  explicit transport(Next next)
      : next_(std::forward<Next>(next)),
        channel_({&next_, descriptor_of, std::is_reference_v<Next> ? nullptr : leave_soon}) {}

  next_type& next() noexcept { return next_; }
  Next take_next() { return std::forward<Next>(next_); }
  detail::channel& channel() noexcept { return channel_; }

  /** Hands the socket to the program. Whoever has it may close it at any time; a handler of ours
      would then send on what may be somebody else's descriptor. He may also wait for it, so that it
      is registered again at the last moment, unless we wait ourselves. */
  next_type& expose(bool idle) noexcept {
    channel_.send_flight();
    channel_.hold_no_awaited_flight();
    if (idle) register_again();
    exposed_ = true;
    return next_;
  }

  /** Says that the socket was connected, to somebody who speaks after us: nothing is here to read.
      From a connect on, as from a wait for output, asio's epoll registration holds EPOLLOUT, and
      every wait for input is woken twice (A3). */
  void was_connected() noexcept {
    channel_.set_dry(true);
    registered_for_output_ = true;
  }

  /** Starts an action of the owner's operation; the handler takes an error_code. */
  template <class Core, class Handler>
  void start(Core& owner, action what, Handler handler) {
    if (what == action::wait_input) {
      if (!owner.writing.busy || owner.writing.exclusive) register_again();
      return next_.async_wait(next_type::wait_read, std::move(handler));
    }
    registered_for_output_ = true;
    if (what == action::wait_output) {
      return next_.async_wait(next_type::wait_write, std::move(handler));
    }
    async_wait_either(next_, std::move(handler));
  }

  /** Carries an action out on the calling thread. */
  interruption wait(action what, give_up_at until, error_code& failed) {
    return wait_for_socket(next_, what, until, failed);
  }

  void input_done() noexcept {}

  /** Sends what is unsent without an operation of its own: the reader that waits takes it along. */
  template <class Core>
  void flush_unattended(Core& owner) {
    if (!owner.reading.busy) return;
    owner.reading.woken = true;
    interrupt();
  }

  void interrupt() {
    error_code ignored;   // nothing to interrupt when the socket is closed already
    next_.cancel(ignored);
  }

  void abandon() {
    error_code ignored;   // the waits end all the same
    if constexpr (std::is_reference_v<Next>) {
      next_.cancel(ignored);
    } else {
      next_.close(ignored);
    }
  }

 private:
  static int descriptor_of(void* socket) {
    return static_cast<next_type*>(socket)->native_handle();
  }

  // Once the handler that runs has had the chance to send more.
  static void leave_soon(void* socket, std::shared_ptr<held_flight> const& flight) {
    asio::defer(static_cast<next_type*>(socket)->get_executor(), [flight] { flight->leave(); });
  }

  // Ends all that waits for the socket: for nobody's but our own (A28). The registration is gone
  // with what the socket has remembered of its descriptor.
  void register_again() {
    if (!registered_for_output_ || exposed_ || std::is_reference_v<Next>) return;
    registered_for_output_ = false;
    error_code failed;
    auto const local = next_.local_endpoint(failed);
    if (failed) return;   // closed; the wait that follows says so
    auto const protocol = local.protocol();
    bool const non_blocking = next_.non_blocking();
    auto const descriptor = next_.release(failed);
    if (failed) return;
    next_.assign(protocol, descriptor, failed);
    if (failed) {
      ::close(descriptor);   // nobody's any more; the wait that follows says so
    } else if (non_blocking) {
      next_.non_blocking(true, failed);
    }
  }

  Next next_;
  native_channel channel_;
  bool registered_for_output_ = false;
  bool exposed_ = false;   // the program has the socket, too
};

/// Any other AsyncStream. What goes on beside an operation runs on the operation's executor, too.
template <class Next>
class transport<Next, false> {
 public:
  using next_type = std::remove_reference_t<Next>;

  explicit transport(Next next)
      : next_(std::forward<Next>(next)),
        await_sent_(next_.get_executor()),
        await_received_(next_.get_executor()) {}

  next_type& next() noexcept { return next_; }
  Next take_next() { return std::forward<Next>(next_); }
  memory_channel& channel() noexcept { return channel_; }
  next_type& expose(bool) noexcept { return next_; }
  void was_connected() noexcept {}

  /** Starts an action of the owner's operation; the handler takes an error_code. */
  template <class Core, class Handler>
  void start(Core& owner, action what, Handler handler) {
    asio::async_compose<Handler, void(error_code)>(transfer<Core>(owner, what), handler, next_);
  }

  /** Carries an action out on the calling thread. The transport's own calls know no deadline: one
      that is a socket with something around it, as Beast's are, is waited for before. */
  interruption wait(action what, give_up_at until, error_code& failed) {
    if (what == action::wait_either) what = action::wait_output;
    if (until) {
      if (std::chrono::steady_clock::now() >= *until) return interruption::deadline;
      if constexpr (has_socket<next_type>) {
        auto const by = wait_for_socket(next_.socket(), what, until, failed);
        if (by != interruption::none || failed) return by;
      }
    }
    error_code code;
    if (what == action::wait_input) {
      if (!chunk_) chunk_ = input_chunk::borrow();
      std::size_t const bytes = next_.read_some(chunk_.buffer(), code);
      failed = received(code, bytes);
    } else if (sending_) {
      failed = errc::operation_in_progress;
    } else {
      std::size_t const bytes = next_.write_some(channel_.sending(), code);
      failed = sent(code, bytes);
    }
    return interruption::none;
  }

  /** What OpenSSL has not taken of the chunk is copied, and the chunk goes back to the pool. */
  void input_done() {
    if (!chunk_ || receiving_) return;
    channel_.keep_input();
    chunk_ = input_chunk();
  }

  /** Sends the last that is ever sent without an operation, whose executor would be the one to go
      on with: what is done when it has left concerns nobody. */
  template <class Core>
  void flush_unattended(Core& owner) {
    if (sending_) return;
    auto const unsent = channel_.sending();
    auto const last =
        std::make_shared<std::string>(static_cast<char const*>(unsent.data()), unsent.size());
    channel_.sent(unsent.size());
    sending_ = true;
    asio::async_write(next_, asio::buffer(*last),
                      [last, alive = owner.shared_from_this()](error_code, std::size_t) {});
  }

  void interrupt() { cancel_lowest_layer(); }
  void abandon() {
    if (!cancel_lowest_layer()) close();
  }

 private:
  // One action of an operation. A write or a read is the operation's own, so that cancelling it
  // works as it does on the transport; while another's is in progress, its end is waited for: a
  // writer, too, may need input, the rest of a message that is half here. A reader with unsent
  // ciphertext sets a flush going beside its read.
  template <class Core>
  class transfer {
   public:
    transfer(Core& owner, action what) noexcept : owner_(&owner), what_(what) {}

    template <class Self>
    void operator()(Self& self) {
      self.reset_cancellation_state(asio::enable_total_cancellation());
      transport& over = owner_->transport();
      if (what_ == action::wait_output) {
        if (over.sending_) {
          return over.await_end(over.await_sent_, self, owner_->shared_from_this());
        }
        over.sending_ = true;
        writes_ = true;
        return over.next_.async_write_some(over.channel_.sending(), std::move(self));
      }
      if (what_ == action::wait_either) {
        over.flush_beside(owner_->shared_from_this(),
                          asio::get_associated_executor(self, over.next_.get_executor()));
      }
      if (over.receiving_) {
        return over.await_end(over.await_received_, self, owner_->shared_from_this());
      }
      over.receiving_ = true;
      if (!over.chunk_) over.chunk_ = input_chunk::borrow();
      over.next_.async_read_some(over.chunk_.buffer(), std::move(self));
    }

    template <class Self>
    void operator()(Self& self, error_code code, std::size_t bytes) {
      transport& over = owner_->transport();
      self.complete(writes_ ? over.sent(code, bytes) : over.received(code, bytes));
    }

    // The end of another's write or read.
    template <class Self>
    void operator()(Self& self, error_code code) {
      self.complete(code);
    }

   private:
    Core* owner_;
    action what_;
    bool writes_ = false;
  };

  // What ends an operation and leaves the transport as it was.
  static bool passes(error_code const& code) noexcept {
    return code == asio::error::operation_aborted || code == asio::error::would_block;
  }

  error_code received(error_code code, std::size_t bytes) {
    receiving_ = false;
    while (!await_received_.empty()) await_received_.complete_first({});
    if (bytes > 0) channel_.lend_input(chunk_.buffer().data(), bytes);
    if (passes(code)) return bytes > 0 ? error_code() : code;
    if (code == asio::error::eof) {
      channel_.set_ended();
    } else if (code) {
      channel_.set_receive_error(code);
    }
    return {};
  }

  error_code sent(error_code code, std::size_t bytes) {
    sending_ = false;
    channel_.sent(bytes);
    while (!await_sent_.empty()) await_sent_.complete_first({});
    if (passes(code)) return code;
    if (code) channel_.set_send_error(code);
    return {};
  }

  template <class Owner, class Executor>
  void flush_beside(std::shared_ptr<Owner> owner, Executor const& executor) {
    if (sending_) return;
    sending_ = true;
    auto sent_some = [this, owner, executor](error_code code, std::size_t bytes) mutable {
      bool const waited_for = !await_sent_.empty();
      error_code const failed = sent(code, bytes);
      if (failed || waited_for || channel_.unsent() == 0) return;
      flush_beside(std::move(owner), executor);
    };
    next_.async_write_some(channel_.sending(),
                           asio::bind_executor(executor, std::move(sent_some)));
  }

  template <class Self, class Owner>
  void await_end(waiting_list<error_code>& list, Self& self, std::shared_ptr<Owner> owner) {
    auto slot = asio::get_associated_cancellation_slot(self);
    auto const ticket = list.add(std::move(self), next_.get_executor());
    if (!slot.is_connected()) return;
    slot.assign([&list, owner, ticket](asio::cancellation_type) {
      list.complete(ticket, asio::error::operation_aborted);
    });
  }

  // False when the transport cannot be cancelled: what is pending there ends when it does.
  bool cancel_lowest_layer() noexcept {
    error_code ignored;
    try {
      if constexpr (requires { next_.lowest_layer().cancel(ignored); }) {
        next_.lowest_layer().cancel(ignored);
        return true;
      } else if constexpr (requires { next_.cancel(); }) {
        next_.cancel();
        return true;
      }
    } catch (...) {
      // As if it could not.
    }
    return false;
  }

  void close() noexcept {
    try {
      if constexpr (requires { next_.close(); }) next_.close();
    } catch (...) {
      // What is pending ends when the transport does.
    }
  }

  Next next_;
  memory_channel channel_;
  input_chunk chunk_;
  bool sending_ = false;     // the transport has a write in progress
  bool receiving_ = false;   // and a read
  waiting_list<error_code> await_sent_;
  waiting_list<error_code> await_received_;
};

}  // namespace cotls::detail
