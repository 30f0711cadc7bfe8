#pragma once

#include <cotls/connect_options.hpp>
#include <cotls/context.hpp>
#include <cotls/detail/support/initiation.hpp>
#include <cotls/stream.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace cotls {

/** Returns the context of connections whose caller gives none: TLS 1.2 and up, the system's
    roots. It is sealed and lent to nobody: who wants other settings makes a `client_context`.
    @par Errors OpenSSL's, when the system's roots cannot be read */
client_context default_client_context();

namespace detail {

/// What a connection to this host and port is to be; throws when there is none such.
client_options checked_options(std::string_view host, int port, connect_options const& options);

class connect_request {
 public:
  connect_request(std::string_view to, int at, client_context const& with,
                  connect_options const& how)
      : host(to), port(at), context(with), options(how) {}

  std::string host;
  int port;
  client_context context;
  connect_options options;
};

/// Connects; `streams` is the executor of the stream that comes of it. Runs on a strand.
asio::awaitable<tcp_stream> connect(asio::any_io_executor streams, connect_request request);

/// What an exception of `connect` says; rethrows those that are no system_error.
std::optional<error> failure_of(std::exception_ptr const& thrown);

template <class Ending>
asio::awaitable<typename Ending::template result<tcp_stream>, typename Ending::executor_type>
connect_awaitable(connect_request request, Ending ending) {
  asio::any_io_executor const streams = co_await asio::this_coro::executor;
  auto work = connect(streams, std::move(request));
  auto [thrown, made] = co_await asio::co_spawn(asio::make_strand(streams), std::move(work),
                                                asio::as_tuple(asio::deferred));
  std::optional<error> const failed = failure_of(thrown);
  if (failed) made = tcp_stream(*failed);
  co_return ending.finish(failed ? failed->code() : error_code(),
                          [&](error_code) { return *failed; }, std::move(made));
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
  return detail::connect_awaitable(detail::connect_request(host, port, context, options),
                                   ending(token));
}

/** The same, with the default context. */
inline asio::awaitable<tcp_stream> async_connect(
    std::string_view host, int port, connect_options const& options = connect_options()) {
  return async_connect(host, port, default_client_context(), options);
}

/** The same, on an executor and for any completion token. */
template <class Token>
auto async_connect(asio::any_io_executor const& executor, std::string_view host, int port,
                   client_context const& context, connect_options const& options, Token&& token) {
  auto start = [](auto handler, asio::any_io_executor const& streams,
                  detail::connect_request request) {
    auto const runs_on = asio::get_associated_executor(handler, streams);
    auto const slot = asio::get_associated_cancellation_slot(handler);
    auto ended = [handler = std::move(handler)](std::exception_ptr const& thrown,
                                                tcp_stream made) mutable {
      std::optional<error> const failed = detail::failure_of(thrown);
      if (!failed) return std::move(handler)(error_code(), std::move(made));
      std::move(handler)(failed->code(), tcp_stream(*failed));
    };
    asio::co_spawn(asio::make_strand(streams), detail::connect(streams, std::move(request)),
                   asio::bind_cancellation_slot(slot,
                                                asio::bind_executor(runs_on, std::move(ended))));
  };
  return asio::async_initiate<Token, void(error_code, tcp_stream)>(
      detail::initiation(executor, start), token, executor,
      detail::connect_request(host, port, context, options));
}

}  // namespace cotls
