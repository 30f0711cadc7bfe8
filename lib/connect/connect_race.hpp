#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <vector>

namespace cotls::detail {

namespace asio = boost::asio;

/** Alternates the address families, the first address's first; within one the order stays
    (RFC 8305 section 4, with a First Address Family Count of 1). */
std::vector<asio::ip::tcp::endpoint> interleaved(
    std::vector<asio::ip::tcp::endpoint> const& addresses);

/** Tells how much a failed attempt says of why a host cannot be reached: more, the greater. */
int telling(boost::system::error_code code) noexcept;

/** Connects to the first of the addresses that can be connected to (RFC 8305 section 5).

    Attempts start in the order given. The next one starts when the latest has failed, or has had
    its head start; those before it go on. When the coroutine ends, all sockets but the one it
    returns are closed.

    Must run on a strand or in an `io_context` of one thread.

    @param streams  The executor of the sockets.
    @param delay    The head start of an attempt before the next one.
    @param until    The deadline of all.
    @par Errors  `cotls::error`: `errc::connect_timeout` at the deadline. When all attempts have
    failed, the most telling failure: a refusal, in which a host has answered, before others, those
    before a time-out, and last what is this machine's own affair (no route to a network, no address
    of a family); of equals the last. `asio::error::host_not_found` when there is no address.
    @par Cancellation  Those types that the caller's cancellation state lets through.
*/
asio::awaitable<asio::ip::tcp::socket> connect_to_first(
    asio::any_io_executor streams, std::vector<asio::ip::tcp::endpoint> addresses,
    std::chrono::steady_clock::duration delay, std::chrono::steady_clock::time_point until);

}  // namespace cotls::detail
