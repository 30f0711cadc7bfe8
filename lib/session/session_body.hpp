#pragma once

#include "openssl/openssl_ptr.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace cotls::detail {

/** Of which connection a client's session is: what one must agree with that offers it. */
class session_origin {
 public:
  session_origin() {}

  /** Whether a session of that one may be offered by a connection of this. */
  bool may_resume(session_origin const& of) const noexcept;

  std::string server;            ///< as which it was verified; empty: as any
  std::string variety;           ///< what else was asked of this one connection, as the engine says
  std::array<unsigned char, 32> identity{};   ///< the digest of what certificates there are to show
  std::uint16_t port = 0;        ///< 0: not known
  std::uint8_t ocsp = 0;         ///< as of `cotls::ocsp`
  bool verified = false;         ///< whether the server was, or is to be
};

/** What the copies of a `session` share. */
class session_body {
 public:
  session_body(ssl_session_ptr native, session_origin origin) noexcept
      : native_(std::move(native)), origin_(std::move(origin)) {}

  /** Makes one of a session that a server gave to a connection, with the certificates that were
      sent by it, of which OpenSSL keeps only one. Null for what cannot be resumed.
      @par Errors std::bad_alloc */
  static std::shared_ptr<session_body const> make(SSL* given_to, SSL_SESSION* given,
                                                  session_origin origin);

  /** Returns a copy that OpenSSL may be given, which marks what it has (T6); null without
      memory. */
  ssl_session_ptr copy() const noexcept { return ssl_session_ptr(SSL_SESSION_dup(native())); }

  /** Says that it is offered; false for what is to be offered once and was. */
  bool claim() const noexcept { return !was_offered_.exchange(true) || !single_use(); }

  SSL_SESSION* native() const noexcept { return native_.get(); }
  session_origin const& origin() const noexcept { return origin_; }
  bool single_use() const noexcept;

 private:
  ssl_session_ptr const native_;
  session_origin const origin_;
  mutable std::atomic<bool> was_offered_{false};
};

}  // namespace cotls::detail
