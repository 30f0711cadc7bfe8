#pragma once

#include <cotls/detail/session/session_storage.hpp>

#include "openssl/openssl_ptr.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cotls::detail {

/** Gives a context's sessions numbers that are known again, by which they are stored. */
void number_sessions(SSL_CTX* servers);

/** Returns by which names the sessions are stored that a client offers: of numbers that are not
    ours none, so that nobody is asked for what a client has made up for others (RFC 8446 appendix
    D.4).
    @param id          As in its hello.
    @param identities  Of its keys in TLS 1.3; the first few count. */
std::vector<std::string> stored_names(std::vector<unsigned char> const& id,
                                      std::vector<std::vector<unsigned char>> const& identities);

/** Returns the name that stands for these bytes: 64 hexadecimal digits of 32. */
std::string stored_name_of(std::span<unsigned char const> bytes);

/** Gives a connection the sessions that were found for it, before its handshake. What is no session
    is passed over. @par Errors std::bad_alloc */
void give_found_sessions(SSL* to, found_sessions const& found);

/** Returns the session of this number that the connection was given, or null: it is asked for again
    after a HelloRetryRequest. */
ssl_session_ptr take_found_session(SSL* of, std::span<unsigned char const> id);

/** Keeps a session of a server's in a store. @par Errors std::bad_alloc, OpenSSL's */
void store_session(session_storage& in, SSL_SESSION* session, std::chrono::seconds lasting);

}  // namespace cotls::detail
