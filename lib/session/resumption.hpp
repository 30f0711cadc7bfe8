#pragma once

#include <cotls/detail/session/session_storage.hpp>

#include <openssl/x509.h>

#include <chrono>
#include <cstddef>
#include <ctime>
#include <memory>

namespace cotls::detail {

/// How long after its full handshake a client may resume a session, unless something else is set.
inline constexpr std::chrono::seconds usual_session_lifetime = std::chrono::hours(24);

/** Verifies a certificate that was verified when a session was made as a handshake would verify it
    now: its dates, the roots and revocation lists, the host, and the connection's own callback (T3,
    T26).

    @param others   The certificates its peer sent beside it; may be null.
    @param lasting  Set, where it is given, when it does, and will for as long as a verdict lasts. */
bool verifies_today(SSL* connection, X509* certificate, STACK_OF(X509)* others,
                    bool* lasting = nullptr);

/** Whether no certificate of a chain expires before a verdict of now is not trusted any more. */
bool outlasts_a_verdict(SSL const* connection, STACK_OF(X509) const* chain);

/** Has the chains of a context's peers verified by a function, then and now. It gets what
    `X509_verify_cert` does, and answers the same. */
void verify_chains_by(SSL_CTX* of, int (*function)(X509_STORE_CTX*));

/** Returns the moment as of which a connection verifies. */
std::time_t today(SSL const* connection);

/** Has a context's servers resume sessions only with what would be accepted in a full handshake: a
    client whose certificate has expired meanwhile, or is no longer trusted, is asked for another one.

    Sessions are kept by the clients, in tickets (RFC 5077, RFC 8446 section 4.6.1), which are
    encrypted with keys of the context's own; those of clients of TLS 1.2 that take no tickets are
    kept here, the newest 1,024. */
void guard_resumption(SSL_CTX* servers);

/** Forgets the session of a connection, which is not to be resumed. */
void forget_session(SSL* of) noexcept;

/** Says how long a client's hello may be, with a ticket in it. */
void limit_tickets(SSL_CTX* servers, std::size_t max_hello);

/** Says how long after its full handshake a session may be resumed, by the connections' clock. */
void limit_sessions(SSL_CTX* servers, std::chrono::seconds lifetime);

/** Keeps a context's sessions in a store from now on, and gives no tickets: the clients have
    nothing but a number, which is a session's name (RFC 5246 section 7.4.1.3, RFC 8446 section
    4.6.1). */
void store_sessions(SSL_CTX* servers, std::shared_ptr<session_storage> store);

/** Takes early data, up to so many bytes, and lets no session be resumed twice, by which it could be
    replayed (RFC 8446 section 8.1): the clients of TLS 1.3, too, get a number instead of a ticket, of
    which the newest 16,384 are known, or the store knows them.
    @par Errors std::bad_alloc */
void take_early_data(SSL_CTX* servers, std::size_t max);

/** Keeps sessions for clients without tickets, or none. */
void keep_sessions(SSL_CTX* servers, bool some);

}  // namespace cotls::detail
