#pragma once

#include <cotls/context.hpp>
#include <cotls/detail/waiting_list.hpp>
#include <cotls/stream.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace cotls {

/** A connection that came to nothing, as a listener's observer is told of it. */
class accept_failure {
 public:
  accept_failure(asio::ip::tcp::endpoint peer, error reason)
      : peer_(std::move(peer)), reason_(std::move(reason)) {}

  /** Returns the peer's address; unspecified when accepting itself failed. */
  asio::ip::tcp::endpoint const& peer() const noexcept { return peer_; }
  error const& reason() const noexcept { return reason_; }

 private:
  asio::ip::tcp::endpoint peer_;
  error reason_;
};

/** How a listener listens. */
class listener_options {
 public:
  using observer_type = std::function<void(accept_failure const&)>;

  listener_options() {}

  /** Connections that the system may keep until they are accepted (`listen`). */
  listener_options& backlog(int connections) { backlog_ = connections; return *this; }

  /** The time for a whole handshake. 10 s by default. */
  listener_options& handshake_timeout(std::chrono::steady_clock::duration limit) {
    handshake_timeout_ = limit;
    return *this;
  }

  /** Connections that are shaking hands or waiting to be accepted, at the most; beyond it they wait
      in the system's backlog. 256 by default. */
  listener_options& max_handshakes(std::size_t connections) {
    max_handshakes_ = connections;
    return *this;
  }

  /** Lets several listeners share a port, among which the system deals (`SO_REUSEPORT`). */
  listener_options& reuse_port(bool value = true) { reuse_port_ = value; return *this; }

  /** Is told of each connection that came to nothing. Called on the thread at hand; must not throw,
      and may be called from several threads at once. */
  listener_options& observer(observer_type function) {
    observer_ = std::move(function);
    return *this;
  }

  /** The executor of accepted streams. By default each gets a strand of its own. */
  listener_options& stream_executor(asio::any_io_executor executor) {
    stream_executor_ = std::move(executor);
    return *this;
  }

  int backlog() const noexcept { return backlog_; }
  std::chrono::steady_clock::duration handshake_timeout() const noexcept {
    return handshake_timeout_;
  }
  std::size_t max_handshakes() const noexcept { return max_handshakes_; }
  bool reuse_port() const noexcept { return reuse_port_; }
  observer_type const& observer() const noexcept { return observer_; }
  asio::any_io_executor const& stream_executor() const noexcept {
    return stream_executor_;
  }

 private:
  int backlog_ = asio::socket_base::max_listen_connections;
  std::chrono::steady_clock::duration handshake_timeout_ = std::chrono::seconds(10);
  std::size_t max_handshakes_ = 256;
  bool reuse_port_ = false;
  observer_type observer_;
  asio::any_io_executor stream_executor_;   // empty: a strand each
};

namespace detail {

class listener_state;

/// What `listener`'s templates need of its state; one ticket an accept that waits.
using accept_waiters = waiting_list<error_code, tcp_stream>;
using stop_waiters = waiting_list<error_code>;

/// Adds an accept that waits. `add` puts its handler into the list, under the state's lock.
void await_stream(std::shared_ptr<listener_state> const& state,
                  std::function<accept_waiters::ticket(accept_waiters&)> const& add,
                  asio::cancellation_slot slot);

/// Stops listening; `add` puts the handler of whoever waits for the end into the list.
void await_stop(std::shared_ptr<listener_state> const& state,
                std::function<void(stop_waiters&)> const& add,
                std::chrono::steady_clock::duration limit);

}  // namespace detail

/** Accepts TCP connections and shakes hands with them, many at a time.

    A slow or hostile peer never holds up the others: handshakes run beside each other, each under a
    deadline, and one that fails is reported to the observer and forgotten. Accepting begins with the
    first `async_accept`, which seals the context. When the process or the system is out of
    descriptors or memory, the listener waits a little and goes on.

    @par Concurrency  Safe to use from several threads. Closing it, or destroying it, ends accepts
    that wait and handshakes in progress; streams that were handed out live on.
*/
class listener {
 public:
  using executor_type = asio::any_io_executor;

  /** Binds and listens.
      @par Errors The system's, for an address that cannot be bound. */
  listener(asio::any_io_executor executor, asio::ip::tcp::endpoint const& endpoint,
           server_context const& context, listener_options const& options = listener_options());

  /** Adopts an acceptor that is listening. */
  listener(asio::ip::tcp::acceptor&& acceptor, server_context const& context,
           listener_options const& options = listener_options());

  listener(listener&&) noexcept;
  listener& operator=(listener&&) noexcept;
  ~listener();

  executor_type get_executor() const;
  asio::ip::tcp::endpoint local_endpoint() const;
  std::uint16_t port() const { return local_endpoint().port(); }
  int native_handle() const;

  /** Returns the context, which can be changed until the first accept; not to be used beside
      `replace_context`. */
  server_context& context() noexcept;

  /** Hands out a stream whose handshake is done. `void(error_code, tcp_stream)`

      @par Errors `errc::no_certificate` when the context has no certificate and key; the system's
      when the acceptor is of no more use; `operation_aborted` after `close`.
      @par Cancellation All types; connections are not lost by it.
  */
  template <class Token = asio::use_awaitable_t<>>
  auto async_accept(Token&& token = Token()) {
    return asio::async_initiate<Token, void(error_code, tcp_stream)>(
        [](auto handler, std::shared_ptr<detail::listener_state> const& state,
           asio::any_io_executor const& executor) {
          auto const slot = asio::get_associated_cancellation_slot(handler);
          detail::await_stream(
              state,
              [&](detail::accept_waiters& waiters) {
                return waiters.add(std::move(handler), executor);
              },
              slot);
        },
        token, state_, get_executor());
  }

  /** Uses another context for the connections that are accepted from here on, and seals it. Those
      accepted before keep theirs, and none is dropped.
      @par Errors `errc::no_certificate`, `errc::no_roots`: the listener keeps what it has. */
  void replace_context(server_context const& context);

  /** Stops listening. Accepts that wait end with `operation_aborted`. */
  void close();

  /** Stops listening, and lets the handshakes in progress come to their end. `void(error_code)`

      Completes when all that were accepted have been handed to accepts, or have failed; then
      accepts that still wait end with `operation_aborted`. What is done with the streams is the
      caller's affair. Connections that the system has not given to us are reset.
      @par Errors `asio::error::timed_out` when the limit cut off what was in progress.
  */
  template <class Token = asio::use_awaitable_t<>>
  auto async_stop(std::chrono::steady_clock::duration limit, Token&& token = Token()) {
    return asio::async_initiate<Token, void(error_code)>(
        [](auto handler, std::shared_ptr<detail::listener_state> const& state,
           asio::any_io_executor const& executor, std::chrono::steady_clock::duration until) {
          detail::await_stop(
              state,
              [&](detail::stop_waiters& waiters) { waiters.add(std::move(handler), executor); },
              until);
        },
        token, state_, get_executor(), limit);
  }

 private:
  std::shared_ptr<detail::listener_state> state_;
};

}  // namespace cotls
