#pragma once

#include "session/ticket_key_ring.hpp"

#include <openssl/types.h>

#include <memory>

namespace cotls::detail {

/** Has a context's servers encrypt their tickets with keys of a ring (RFC 5077 section 4), from
    now on, by the connections' clock.
    @par Errors OpenSSL's, std::bad_alloc */
void encrypt_tickets(SSL_CTX* servers, std::shared_ptr<ticket_key_ring> keys);

/** Leaves the tickets to the keys that a program has given to OpenSSL, if it has, since the context
    has those of ours. */
void heed_given_ticket_keys(SSL_CTX* servers);

}  // namespace cotls::detail
