#pragma once

#include <cotls/blocking/context_or_protocol.hpp>
#include <cotls/blocking/stream.hpp>
#include <cotls/connect.hpp>
#include <cotls/context.hpp>

#include <boost/asio/local/stream_protocol.hpp>

#include <string_view>

namespace cotls::blocking {

/** Connects to a host by name or address and performs the handshake: `async_connect`, on the
    calling thread.

    The addresses of the host race in the same way (RFC 8305 sections 4 and 5), with `poll` and
    without a thread. The lookup comes first and is outside the deadline: `getaddrinfo` cannot be
    interrupted.

    @param context  A context, or a protocol's word.
    @par Errors `cotls::error`, with the codes of `async_connect`; `errc::unsupported_protocol` */
stream connect(std::string_view host, int port,
               context_or_protocol<client_context> const& context = default_client_context(),
               connect_options const& options = connect_options());

/** The same, with the default context. */
stream connect(std::string_view host, int port, connect_options const& options);

/** The same; on failure the stream is empty. */
stream connect(std::string_view host, int port,
               context_or_protocol<client_context> const& context,
               connect_options const& options, error_code& code);

/** Connects to a Unix domain socket. A path is no name that a certificate could be for:
    verification needs `connect_options::verify_host`.
    @par Errors `errc::no_host_name`; the system's; those of the handshake */
stream connect(asio::local::stream_protocol::endpoint const& path,
               context_or_protocol<client_context> const& context,
               connect_options const& options = connect_options());
stream connect(asio::local::stream_protocol::endpoint const& path,
               context_or_protocol<client_context> const& context,
               connect_options const& options, error_code& code);

}  // namespace cotls::blocking
