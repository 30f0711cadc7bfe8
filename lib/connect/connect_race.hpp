#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <vector>

namespace cotls::detail {

namespace asio = boost::asio;

/** Connects to the first of the addresses that can be connected to (`address_race`). When the
    coroutine ends, all sockets but the one it returns are closed.

    Must run on a strand or in an `io_context` of one thread.

    @param streams     The executor of the sockets.
    @param head_start  Of an attempt before the next one.
    @param until       The deadline of all.
    @par Errors  `cotls::error`, with the race's failure.
    @par Cancellation  Those types that the caller's cancellation state lets through.
*/
asio::awaitable<asio::ip::tcp::socket> connect_to_first(
    asio::any_io_executor streams, std::vector<asio::ip::tcp::endpoint> addresses,
    std::chrono::steady_clock::duration head_start, std::chrono::steady_clock::time_point until);

}  // namespace cotls::detail
