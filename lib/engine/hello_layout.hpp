#pragma once

#include <cotls/client_hello.hpp>

#include <cstddef>
#include <span>

namespace cotls::detail {

/** Reads of a hello what OpenSSL does not tell: the types of its extensions in their order, those
    that it does not know included, and the session's number.
    (`SSL_client_hello_get1_extensions_present` leaves out the unknown ones, GREASE among them.)

    @param received  The hello in its records, which OpenSSL has taken, and whatever is behind it.
    @param into      Keeps what it has where the bytes are no such hello, such as one of SSL 2.0. */
void read_layout(std::span<std::byte const> received, client_hello& into);

}  // namespace cotls::detail
