#pragma once

#include <cotls/detail/operation/deadline.hpp>
#include <cotls/detail/operation/transport.hpp>
#include <cotls/detail/support/carried_handler.hpp>
#include <cotls/error.hpp>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/compose.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

/* What Beast's WebSocket asks of a stream when a connection is over. Beast finds these functions by
   the type of their arguments; its headers are the program's to include. */

namespace boost::beast {
enum class role_type;
}

namespace cotls {

namespace asio = boost::asio;

template <class Next>
class stream;
template <class Next>
class ssl_stream;

namespace detail {

template <class Next>
constexpr bool is_socket = false;
template <class Protocol, class Executor>
constexpr bool is_socket<asio::basic_stream_socket<Protocol, Executor>> = true;

/// Whether a TLS stream's transport is a socket, or a stream of Beast's around one: ours to close.
/// Otherwise its own teardown is called.
template <class Tls>
constexpr bool rests_on_socket =
    is_socket<typename Tls::next_layer_type> || has_socket<typename Tls::next_layer_type>;

template <class Next>
auto& socket_of(Next& next) noexcept {
  if constexpr (is_socket<Next>) {
    return next;
  } else {
    return next.socket();
  }
}

template <class Next>
void close_socket_of(Next& next) {
  error_code ignored;   // the connection is gone in any case
  socket_of(next).shutdown(asio::socket_base::shutdown_send, ignored);
  if constexpr (is_socket<Next>) {
    next.close(ignored);
  } else {
    next.close();
  }
}

/* RFC 6455 section 7.1.1: "the server MUST close the connection immediately, whereas the client
   SHOULD wait for the server to close the connection". Nothing is in the way of the server's close:
   both sides have said that they send no more. What the client waits for is the transport's end,
   the next thing that can arrive; if it does not before the deadline, the connection is closed all
   the same.

   `Role` is Beast's, of which only the program knows the enumerators. */
template <class Tls, class Role>
class teardown_operation {
  using clock = std::chrono::steady_clock;
  using deadline_type = deadline<typename Tls::executor_type>;

 public:
  teardown_operation(Tls& tls, Role role) : tls_(&tls), role_(role) {}

  template <class Self>
  void operator()(Self& self, error_code code = {}) {
    switch (stage_) {
      case stage::begun:
        stage_ = stage::shut_down;
        self.reset_cancellation_state(asio::enable_total_cancellation());
        until_ = moment_after(tls_->shutdown_timeout());
        return tls_->async_shutdown(std::move(self));
      case stage::shut_down:
        stage_ = stage::beneath;
        result_ = code;
        return end_beneath(self);
      case stage::beneath: break;
    }
    if constexpr (rests_on_socket<Tls>) {
      if (code && !deadline_->passed()) result_ = code;
      deadline_->finish();
      close_and_complete(self);
    } else {
      self.complete(result_ ? result_ : code);
    }
  }

 private:
  enum class stage : std::uint8_t { begun, shut_down, beneath };

  template <class Self>
  void end_beneath(Self& self) {
    Tls& tls = *tls_;
    if constexpr (!rests_on_socket<Tls>) {
      return async_teardown(role_, tls.next_layer(), std::move(self));
    } else {
      if (result_ || role_ == Role::server) return close_and_complete(self);
      deadline_ = std::make_shared<deadline_type>(tls.get_executor(), until_);
      deadline_->start(asio::get_associated_executor(self, tls.get_executor()));
      auto const until = deadline_;
      bool const waits = start_wait(self, until, [&](asio::cancellation_slot slot) {
        auto& socket = socket_of(tls.next_layer());
        socket.async_wait(asio::socket_base::wait_read,
                          bind_slot(slot, std::move(self)));
      });
      if (!waits) close_and_complete(self);
    }
  }

  template <class Self>
  void close_and_complete(Self& self) {
    close_socket_of(tls_->next_layer());
    self.complete(result_);
  }

  Tls* tls_;
  Role role_;
  stage stage_ = stage::begun;
  clock::time_point until_;
  std::shared_ptr<deadline_type> deadline_;
  error_code result_;
};

template <class Tls, class Role, class Token>
auto start_teardown(Tls& tls, Role role, Token&& token) {
  return asio::async_compose<Token, void(error_code)>(
      teardown_operation<Tls, Role>(tls, role), token, tls);
}

template <class Tls, class Role>
void run_teardown(Tls& tls, Role role, error_code& code) {
  auto const until = moment_after(tls.shutdown_timeout());
  tls.shutdown(code);
  if constexpr (rests_on_socket<Tls>) {
    error_code ignored;
    if (!code && role == Role::client) {
      wait_for_socket(socket_of(tls.next_layer()), action::wait_input, until, ignored);
    }
    close_socket_of(tls.next_layer());
  } else {
    error_code beneath;
    teardown(role, tls.next_layer(), beneath);
    if (!code) code = beneath;
  }
}

}  // namespace detail

/** Ends a connection that carried a WebSocket: a shutdown, then the end of what is beneath.
    `void(error_code)`

    Called by `boost::beast::websocket::stream`. A socket, or a stream of Beast's around one, is
    closed in any case, within the stream's shutdown timeout: by a server at once, by a client when
    the server has closed it (RFC 6455 section 7.1.1). Of another transport, its own
    `async_teardown` is called, which takes its own time.
    @par Errors Those of the shutdown; otherwise those of the teardown beneath. A server that does
    not close the socket in time is none.
    @par Cancellation All types; a socket is closed all the same.
*/
template <class Next, class Token>
auto async_teardown(boost::beast::role_type role, stream<Next>& tls, Token&& token) {
  return detail::start_teardown(tls, role, std::forward<Token>(token));
}
template <class Next, class Token>
auto async_teardown(boost::beast::role_type role, ssl_stream<Next>& tls, Token&& token) {
  return detail::start_teardown(tls, role, std::forward<Token>(token));
}

/** The same, on the calling thread. */
template <class Next>
void teardown(boost::beast::role_type role, ssl_stream<Next>& tls, error_code& code) {
  detail::run_teardown(tls, role, code);
}

}  // namespace cotls
