#pragma once

#include <cotls/client_hello.hpp>
#include <cotls/context.hpp>
#include <cotls/detail/driver/composed_driver.hpp>
#include <cotls/detail/driver/token.hpp>
#include <cotls/detail/listen/establishing.hpp>
#include <cotls/detail/operation/client_hello_operation.hpp>
#include <cotls/detail/support/held.hpp>
#include <cotls/detail/support/timeouts.hpp>
#include <cotls/error.hpp>
#include <cotls/stream.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/system_executor.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace cotls {

namespace detail {

/// Composed operations of an incoming connection, which end with a value.
template <class Protocol>
class hello_operation {
 public:
  using state_type = establishing<Protocol>;
  using value_type = client_hello;
  explicit hello_operation(std::shared_ptr<state_type> state) : state_(std::move(state)) {}

  template <class Self>
  void operator()(Self& self) {
    self.reset_cancellation_state(asio::enable_total_cancellation());
    error_code const refused = state_->begin_hello();
    began_ = !refused;
    if (refused) return asio::post(asio::append(std::move(self), refused));
    auto const state = state_;   // ours is moved with `self`
    compose<seated<client_hello_operation<typename state_type::hello_core>>>(
        state->reading(), state->left(), std::move(self), state->seat());
  }

  template <class Self>
  void operator()(Self& self, error_code code) {
    self.complete(code, began_ ? state_->end_hello(code) : client_hello());
  }

 private:
  std::shared_ptr<state_type> state_;
  bool began_ = false;
};

template <class Protocol>
class incoming_handshake {
 public:
  using state_type = establishing<Protocol>;
  using value_type = typename state_type::stream_type;
  incoming_handshake(std::shared_ptr<state_type> state, std::optional<server_context> chosen)
      : state_(std::move(state)), chosen_(std::move(chosen)) {}

  template <class Self>
  void operator()(Self& self) {
    self.reset_cancellation_state(asio::enable_total_cancellation());
    error_code const refused = state_->begin_handshake(chosen_ ? &*chosen_ : nullptr);
    began_ = !refused;
    if (refused) return asio::post(asio::append(std::move(self), refused));
    start_handshake(state_, std::move(self));
  }

  template <class Self>
  void operator()(Self& self, error_code code) {
    value_type made;
    if (began_) made = state_->end_handshake(code);
    if (!code && !made) code = asio::error::operation_aborted;   // the handle is gone
    self.complete(code, std::move(made));
  }

 private:
  std::shared_ptr<state_type> state_;
  std::optional<server_context> chosen_;
  bool began_ = false;
};

/// The initiating function; some tokens ask for its executor (A20).
template <class Operation>
class initiate_incoming {
 public:
  using state_type = typename Operation::state_type;
  using value_type = typename Operation::value_type;
  using signature = void(error_code, value_type);
  using executor_type = asio::any_io_executor;

  explicit initiate_incoming(std::shared_ptr<state_type> state) noexcept
      : state_(std::move(state)) {}

  executor_type get_executor() const { return held(state_).executor(); }

  template <class Handler>
  void operator()(Handler handler, Operation operation) const {
    if (!state_) {
      error_code const code = errc::not_connected;
      return complete_without_executor(bind_args(std::move(handler), code, value_type()));
    }
    asio::async_compose<Handler, signature>(std::move(operation), handler, state_->executor());
  }

 private:
  std::shared_ptr<state_type> state_;
};

/// Starts one of them for any completion token; an awaitable throws all that is known.
template <class Operation, class Token>
auto start_incoming(std::shared_ptr<typename Operation::state_type> const& state,
                    Operation operation, Token&& token) {
  using initiation = initiate_incoming<Operation>;
  return asio::async_initiate<Token, typename initiation::signature>(initiation(state), token,
                                                                     std::move(operation));
}

template <class Operation, class Ending>
asio::awaitable<typename Ending::template result<typename Operation::value_type>,
                typename Ending::executor_type>
await_incoming(std::shared_ptr<typename Operation::state_type> state, Operation operation,
               Ending ending) {
  auto [code, value] =
      co_await start_incoming(state, std::move(operation), asio::as_tuple(asio::deferred));
  co_return ending.finish(
      code, [&](error_code failed) { return state ? state->failure(failed) : error(failed); },
      std::move(value));
}

}  // namespace detail

/** A connection that was accepted, before its handshake: the moment at which its context is chosen.

    @code
    auto incoming = co_await listener.async_accept_incoming();
    auto hello = co_await incoming.async_client_hello();
    auto tls = co_await incoming.async_handshake(co_await context_for(hello.server_name));
    @endcode

    A default-constructed or moved-from one is empty, and so is one whose handshake has begun, or
    that was released or refused; operations on it end with `errc::not_connected`. Destroyed, it
    drops the connection; operations that are pending end with `operation_aborted`. Move-only.

    The listener's handshake timeout is for the client: it covers the hello and the handshake
    together. What the caller does between the two does not count, and has no limit of ours.

    @par Concurrency  One operation at a time, which needs no strand.
    @par Cancellation  All types. A hello that was cancelled can be asked for again, with no byte
    lost; a handshake that was cancelled is over.
*/
template <class Protocol>
class basic_incoming {
  using state_type = detail::establishing<Protocol>;

 public:
  using socket_type = typename Protocol::socket;
  using stream_type = stream<socket_type>;
  using endpoint_type = typename Protocol::endpoint;
  using executor_type = asio::any_io_executor;

  basic_incoming() noexcept = default;

  /** Takes over an accepted socket.
      @param context  For the handshake, should no other be chosen.
      @param limit    The time for the hello and the handshake. */
  basic_incoming(socket_type socket, endpoint_type peer, server_context const& context,
                 std::chrono::steady_clock::duration limit = detail::usual_handshake_timeout)
      : state_(std::make_shared<state_type>(std::move(socket), std::move(peer))) {
    state_->begin(context, limit);
  }

  /** Used by listeners. */
  explicit basic_incoming(std::shared_ptr<state_type> state) noexcept : state_(std::move(state)) {}

  basic_incoming(basic_incoming&&) noexcept = default;
  basic_incoming& operator=(basic_incoming&& other) noexcept {
    if (this != &other) {
      abandon();
      state_ = std::move(other.state_);
    }
    return *this;
  }
  ~basic_incoming() { abandon(); }

  /** False for an empty one. What is asked of one throws `errc::not_connected`; where it has been
      one, its executor, the peer's address and the last failure are still known. */
  explicit operator bool() const noexcept { return state_ && state_->waits(); }

  executor_type get_executor() const { return detail::held(state_).executor(); }
  endpoint_type peer_endpoint() const { return detail::held(state_).peer(); }
  endpoint_type local_endpoint() const {
    return waiting().socket().local_endpoint();
  }

  /** Lends the socket to the program. It may close it, so that the listener cuts it no more: the
      connection keeps its place from then on, however slow its client is. */
  socket_type& next_layer() const {
    return waiting().expose();
  }

  /** Reads what the client offers, without answering. `void(error_code, client_hello)`

      May be asked again, and answers the same. What is received behind the hello is kept for the
      handshake.
      @par Errors As a handshake: `errc::handshake_timeout`, `errc::handshake_truncated`,
      `errc::displaced`; OpenSSL's for what is no ClientHello, after its alert; the transport's;
      and, after an alert, `errc::client_hello_too_long` (`server_context::set_max_client_hello`, of
      the context that the connection came with). The socket can still be released, with what came
      instead of TLS. `errc::operation_in_progress` beside another.
  */
  template <class Token = asio::use_awaitable_t<>>
  auto async_client_hello(Token&& token = Token()) {
    return start(detail::hello_operation<Protocol>(state_), std::forward<Token>(token));
  }

  /** Performs the handshake, and hands out the stream. `void(error_code, stream_type)`

      It can be begun at once, or after the hello. The handle is empty then. A client that is
      refused hears of it, as with `refuse`.
      @par Errors As `stream::async_handshake`; `errc::displaced` when the listener needed the
      place. `errc::no_certificate` and whatever else is wrong with the context, and
      `errc::operation_in_progress` beside a hello, leave the connection as it was: another context
      may be tried.
  */
  template <class Token = asio::use_awaitable_t<>>
    requires(!std::same_as<std::remove_cvref_t<Token>, server_context>)
  auto async_handshake(Token&& token = Token()) {
    return start(detail::incoming_handshake<Protocol>(state_, std::nullopt),
                 std::forward<Token>(token));
  }

  /** The same with another context than the listener's; it is sealed. */
  template <class Token = asio::use_awaitable_t<>>
  auto async_handshake(server_context const& context, Token&& token = Token()) {
    return start(detail::incoming_handshake<Protocol>(state_, context),
                 std::forward<Token>(token));
  }

  /** Gives the socket back, and the bytes that were read from it.
      @par Errors `errc::operation_in_progress`, `errc::not_connected` */
  std::pair<socket_type, std::vector<std::byte>> release() {
    return waiting().release();
  }

  /** Drops the connection and tells the client why: `alert::unrecognized_name` for a host that is
      not served, `alert::access_denied`. What the client sends until it has heard of it is
      discarded: up to 1 MiB, in the time that is left for the handshake, at most for 2 s.
      @par Errors `errc::operation_in_progress`, `errc::not_connected` */
  void refuse(alert reason) {
    waiting().refuse(reason);
  }

  /** Returns the failure of the last operation, with all that OpenSSL said of it; its code is empty
      when there is none. Of one that was moved from or never connected, `errc::not_connected`. */
  error last_error() const { return state_ ? state_->failure({}) : error(errc::not_connected); }

 private:
  template <class Operation, class Token>
  auto start(Operation operation, Token&& token) {
    using ending = detail::awaitable_token<std::decay_t<Token>>;
    if constexpr (ending::value) {
      return detail::await_incoming(state_, std::move(operation), ending(token));
    } else {
      return detail::start_incoming(state_, std::move(operation), std::forward<Token>(token));
    }
  }

  state_type& waiting() const {
    if (!*this) throw error(errc::not_connected);
    return *state_;
  }

  void abandon() {
    if (state_) state_->abandon();
  }

  std::shared_ptr<state_type> state_;
};

/** A TCP connection before its handshake. */
using incoming = basic_incoming<asio::ip::tcp>;

/** A connection over a Unix domain socket before its handshake. */
using local_incoming = basic_incoming<asio::local::stream_protocol>;

}  // namespace cotls
