#pragma once

#include "session/session_body.hpp"

#include <memory>
#include <span>
#include <vector>

namespace cotls::detail {

/** Writes a client's session as bytes. @par Errors std::bad_alloc, OpenSSL's */
std::vector<unsigned char> write_session(session_body const& session);

/** Reads one, whose age is not looked at. @par Errors errc::invalid_session */
std::shared_ptr<session_body const> read_session(std::span<unsigned char const> bytes);

/** Writes a server's session as bytes. @par Errors std::bad_alloc, OpenSSL's */
std::vector<unsigned char> write_server_session(SSL_SESSION* session);

/** Reads one; null for what is none, or is damaged. @par Errors std::bad_alloc */
ssl_session_ptr read_server_session(std::span<unsigned char const> bytes);

/** Whether bytes begin as those of a session do, whatever is behind that. */
bool looks_like_session(std::span<unsigned char const> bytes) noexcept;

}  // namespace cotls::detail
