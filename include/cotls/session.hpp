#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace cotls {

namespace detail {
class session_body;
}

/** A client's session with a server, to be resumed by a later connection (RFC 8446 section 2.2),
    also of another process: immutable, cheap to copy, safe to share between threads.

    It is got from a connection (`stream::session`, `client_context::on_session`) and offered by one
    (`client_options::session`). It is passed over, and the handshake is a full one, unless the
    connection

    - is to the same host, as it is verified, and to the same port where both are known;
    - asks for the same name, versions, suites, groups and signatures, where that is its own choice;
    - shows the same certificates, or none as before: the server knows us by them;
    - would accept the chain that was verified then, today, with its own roots, revocation lists,
      pins and verifiers; one that verifies takes no session of a connection that did not;
    - asks for no more by `set_ocsp` than that one did.

    Whoever has it can resume it in our place, and whoever can change its bytes can pretend to be
    the server: they are to be kept as a private key is.
*/
class session {
 public:
  session(session const&) noexcept = default;
  session& operator=(session const&) noexcept = default;

  /** Takes a session from its bytes.
      @par Errors `errc::invalid_session` for what is none, is damaged, or is of another kind or
      version; `errc::session_expired` */
  static session from_bytes(std::span<unsigned char const> bytes);

  /** Returns it as bytes, a few hundred and its certificates; nobody wipes them but the caller.
      @par Errors OpenSSL's, when there is no memory */
  std::vector<unsigned char> bytes() const;

  /** Returns the host that the server was verified as; empty where any name was accepted. */
  std::string const& host() const& noexcept;
  std::string host() && { return host(); }

  /** Returns the port of `async_connect` or `client_options::port`; 0 where none was said. */
  std::uint16_t port() const noexcept;

  /** Returns whether the server was verified. */
  bool verified() const noexcept;

  /** Returns the version that it is resumed with: `"TLSv1.3"`. */
  std::string version() const;

  /** Returns whether it is offered once at the most: one of TLS 1.3 (RFC 8446 appendix C.4:
      "Clients SHOULD NOT reuse a ticket for multiple connections."). A copy of it that was offered
      is passed over by all connections after that. */
  bool single_use() const noexcept;

  /** Returns when the server has made it, and when it is not offered any more: when the server
      says, and 7 days later at the latest (RFC 8446 section 4.6.1). */
  std::chrono::system_clock::time_point made() const noexcept;
  std::chrono::system_clock::time_point expires() const noexcept;

  /** Makes a handle of what is shared; for the library itself. */
  explicit session(std::shared_ptr<detail::session_body const> body) noexcept;

  /** Returns what is shared, for the library itself. */
  std::shared_ptr<detail::session_body const> const& body() const noexcept { return body_; }

 private:
  std::shared_ptr<detail::session_body const> body_;   // never null
};

}  // namespace cotls
