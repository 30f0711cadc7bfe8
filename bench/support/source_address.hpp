#pragma once

#include <sys/socket.h>

#include <cstddef>

namespace bench {

/** From so many addresses of loopback the program connects, by turns: each has a range of ephemeral
    ports of its own, so that neither open connections nor those that linger in TIME_WAIT use them
    up. */
inline constexpr std::size_t source_addresses = 8;

/** Gives a socket that is about to connect to 127.0.0.1 the next of these addresses;
    system_calls.cpp calls it, whoever connects. None of them is a server's. Where the system has no
    such address, the socket is left as it is. */
void set_source_address(int socket, sockaddr const* to) noexcept;

}  // namespace bench
