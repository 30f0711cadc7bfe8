#pragma once

#include <cotls/detail/system/owned_descriptor.hpp>
#include <cotls/error.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <sys/socket.h>

#include <string>

namespace cotls::detail {

/** Makes a stream socket that does not block. @par Errors In `failed`; it is empty then. */
owned_descriptor make_socket(int family, error_code& failed);

/** Without it the last flight of a handshake and a small write meet Nagle's algorithm and the
    delayed acknowledgement: 40 ms a connection (A10). Other sockets than those of TCP are left
    alone. */
void set_no_delay(int descriptor) noexcept;

/** Tells whether an endpoint is one of TCP: what the system has written into it may be another
    family's. */
bool is_tcp(boost::asio::ip::tcp::endpoint const& address) noexcept;

/** Asks the system for one of a socket's addresses.
    @param ask    `getsockname` or `getpeername`
    @param doing  What is tried, for the error's text.
    @par Errors The system's; `asio::error::address_family_not_supported` for another socket than
    one of TCP */
boost::asio::ip::tcp::endpoint tcp_endpoint(int (*ask)(int, sockaddr*, socklen_t*), int descriptor,
                                            char const* doing);

/** Returns the address of a socket's peer, such as `192.0.2.1:50012`; empty when it has none that can
    be told. */
std::string address_of_peer(int descriptor);

}  // namespace cotls::detail
