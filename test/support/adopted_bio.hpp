#pragma once

#include "openssl/openssl_ptr.hpp"

#include <cotls/engine.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace cotls::test {

/** Makes a BIO that connects to a port of 127.0.0.1 without blocking. */
detail::bio_ptr connecting_bio(std::uint16_t port);

/** Makes a BIO that listens at a port of 127.0.0.1 of the system's choice, and accepts one
    connection without blocking. */
detail::bio_ptr accepting_bio();

/** Returns the port at which an accepting BIO listens. */
std::uint16_t port_of(BIO* accepting);

/** Returns a port of 127.0.0.1 at which nobody listens. */
std::uint16_t unused_port();

/** Makes the two ends of a connection in memory, each of which holds so many bytes. */
std::pair<detail::bio_ptr, detail::bio_ptr> bio_pair(std::size_t capacity);

/** Waits until the socket beneath an engine that adopted one is ready for what is wanted.
    @par Errors std::runtime_error at the deadline */
void wait_for(engine const& over, want what);

}  // namespace cotls::test
