#pragma once

struct ssl_st;

namespace cotls::test {

/** Makes the next write send a key update that asks the peer for one, too (RFC 8446 section
    4.6.3). */
void request_key_update(ssl_st* ssl);

/** Leaves an entry in the calling thread's error queue, as careless code does. */
void leave_an_openssl_error();

}  // namespace cotls::test
