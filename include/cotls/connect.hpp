#pragma once

#include <cotls/connect_options.hpp>
#include <cotls/context.hpp>
#include <cotls/detail/connect/connecting.hpp>
#include <cotls/detail/driver/token.hpp>
#include <cotls/detail/support/initiation.hpp>
#include <cotls/error.hpp>
#include <cotls/stream.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <string_view>
#include <utility>

namespace cotls {

/** Returns the context of connections whose caller gives none: TLS 1.2 and up, the system's
    roots. It is sealed and lent to nobody: who wants other settings makes a `client_context`.
    @par Errors OpenSSL's, when the system's roots cannot be read */
client_context default_client_context();

namespace detail {

template <class Token>
auto start_connecting(asio::any_io_executor const& streams,
                      std::unique_ptr<connect_request> request, Token&& token) {
  auto start = []<class Handler>(Handler handler, asio::any_io_executor const& executor,
                                 std::unique_ptr<connect_request> asked) {
    auto const slot = asio::get_associated_cancellation_slot(handler);
    detail::start_connecting(
        executor, slot, std::move(asked),
        std::make_unique<connect_waiter_for<Handler>>(std::move(handler), executor));
  };
  return asio::async_initiate<Token, void(error_code, tcp_stream)>(
      initiation(streams, start), token, streams, std::move(request));
}

template <class Ending>
asio::awaitable<typename Ending::template result<tcp_stream>, typename Ending::executor_type>
connect_awaitable(std::unique_ptr<connect_request> request, Ending ending) {
  asio::any_io_executor const streams = co_await asio::this_coro::executor;
  auto [code, made] =
      co_await start_connecting(streams, std::move(request), asio::as_tuple(asio::deferred));
  co_return ending.finish(code, [&](error_code) { return made.last_error(); }, std::move(made));
}

}  // namespace detail

/** Connects to a host by name or address and performs the handshake. `void(error_code, tcp_stream)`

    Looks the host up; tries its addresses, of IPv6 and IPv4 by turns, each with a head start before
    the next, until one has connected (Happy Eyeballs, RFC 8305 sections 4 and 5); verifies the
    server's certificate for the host while shaking hands (RFC 9525); sets `TCP_NODELAY`. Completes
    when the stream may be used. Used from a coroutine, whose executor becomes the stream's.

    @param host  A DNS name, an IPv4 or an IPv6 address (without brackets), which may have a zone:
                 as for `client_options::host`.
    @param port  1 to 65535.
    @par Errors  `errc::invalid_port`, `errc::invalid_host_name`, `errc::invalid_alpn_protocol` and
    what is wrong with the context (`errc::no_certificate` for one with a certificate and no key)
    before any I/O; the lookup's; when all addresses have failed, the failure that tells most:
    `asio::error::connection_refused` if one was refused, a time-out of the system's or an
    unreachable network only if none says more; `errc::connect_timeout` at the deadline, while an
    address may still answer; those of `stream::async_handshake`, with `errc::handshake_timeout` for
    either deadline. `cotls::error` says all that is known; where no exception is thrown, the stream
    is empty, and its `last_error` says the same.
    @par Cancellation  All types; nothing is left behind. A lookup that has begun cannot be
    interrupted: it is abandoned, and keeps the `io_context` busy until the system gives it up.
*/
template <class Token = asio::use_awaitable_t<>>
auto async_connect(std::string_view host, int port, client_context const& context,
                   connect_options const& options = connect_options(), Token token = Token()) {
  using ending = detail::awaitable_token<Token>;
  static_assert(ending::value, "without an executor, the token must be use_awaitable or over it");
  return detail::connect_awaitable(
      std::make_unique<detail::connect_request>(host, port, context, options), ending(token));
}

/** The same, with the default context. */
asio::awaitable<tcp_stream> async_connect(std::string_view host, int port,
                                          connect_options const& options = connect_options());

/** The same, on an executor and for any completion token. */
template <class Token>
auto async_connect(asio::any_io_executor const& executor, std::string_view host, int port,
                   client_context const& context, connect_options const& options, Token&& token) {
  return detail::start_connecting(
      executor, std::make_unique<detail::connect_request>(host, port, context, options),
      std::forward<Token>(token));
}

}  // namespace cotls
