#pragma once

#include <cotls/detail/system/owned_descriptor.hpp>
#include <cotls/error.hpp>

namespace cotls::detail {

/** Makes a stream socket that does not block. @par Errors In `failed`; it is empty then. */
owned_descriptor make_socket(int family, error_code& failed);

/** Without it the last flight of a handshake and a small write meet Nagle's algorithm and the
    delayed acknowledgement: 40 ms a connection (A10). Other sockets than those of TCP are left
    alone. */
void set_no_delay(int descriptor) noexcept;

}  // namespace cotls::detail
