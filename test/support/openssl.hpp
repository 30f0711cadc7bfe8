#pragma once

#include <cstddef>

struct ssl_ctx_st;
struct ssl_st;

namespace cotls::test {

/** Makes the next write send a key update that asks the peer for one, too (RFC 8446 section
    4.6.3). */
void request_key_update(ssl_st* ssl);

/** Makes the next write send a key update that asks the peer for none. */
void update_key(ssl_st* ssl);

/** Makes the next write of a server send another session ticket (RFC 8446 section 4.6.1). */
void send_session_ticket(ssl_st* ssl);

/** Sends records of 512 bytes at the most, so that messages are spread over several. */
void use_small_records(ssl_st* ssl);

/** Lets a client answer requests for a certificate after its handshake. To be called before it. */
void allow_post_handshake_authentication(ssl_st* ssl);

/** Makes the next write of a server ask its client for a certificate, which it then verifies (RFC
    8446 section 4.6.2). */
void request_client_certificate(ssl_st* ssl);

/** Makes the next write ask for another handshake over this connection (RFC 5246 section 7.4.1.1),
    which we ourselves would refuse. */
void request_renegotiation(ssl_st* ssl);

/** Lets connections of this context wipe what they have decrypted as it is read. */
void cleanse_plaintext(ssl_ctx_st* context);

/** How many bytes OpenSSL has decrypted that were not read. */
std::size_t pending(ssl_st const* ssl);

/** Leaves an entry in the calling thread's error queue, as careless code does. */
void leave_an_openssl_error();

}  // namespace cotls::test
