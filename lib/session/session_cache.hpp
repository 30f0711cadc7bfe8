#pragma once

#include "openssl/openssl_ptr.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace cotls::detail {

/** Returns how long a session is good for after it was made, in seconds. */
long lifetime_of(SSL_SESSION const* session) noexcept;

/** Whether a session is not too old, and its peer's certificate, if there is one, has not expired:
    what has would not pass.
    @param today  When certificates are valid, whatever time it is. */
bool is_fresh(SSL_SESSION const* session, std::time_t today) noexcept;

/** Sessions to be resumed, by server; those of the servers used last. (A server has one, too, by the
    number of the session.)

    What a session was made for must be what it is offered to, by whoever made it (T3): so each
    context has a cache of its own, and the keys of a client's hold host name and port. Thread-safe.
*/
class session_cache {
 public:
  /// What one server has given at the most, the newest: a browser's worth of parallel connections.
  static constexpr std::size_t max_sessions = 4;

  /** @param servers  How many servers are remembered; 0: none, and nothing is kept. */
  explicit session_cache(std::size_t servers) noexcept : max_servers_(servers) {}

  bool keeps() const noexcept { return max_servers_ > 0; }

  /** Remembers a session, unless it is the newest already. A copy is kept: a live one turns useless
      when its connection ends without close_notify (T6). */
  void put(std::string const& server, SSL_SESSION* session);

  /** Returns the newest session that is not too old, and whose certificate has not expired, or null.
      One of TLS 1.3 is given once
      (RFC 8446 appendix C.4: "Clients SHOULD NOT reuse a ticket for multiple connections.").
      @param today  When certificates are valid, whatever time it is. */
  ssl_session_ptr take(std::string const& server, std::time_t today);

  /** Forgets what a server has given, which does not work. */
  void forget(std::string const& server);

  /// How long the verification of a certificate is not done again.
  static constexpr std::chrono::seconds verdict_lasts{60};

  /** Remembers that the certificate of a server whose sessions are here was verified now. */
  void note_verified(std::string const& server, X509 const* certificate);

  /** Whether that was not long ago. */
  bool was_verified(std::string const& server, X509 const* certificate);

 private:
  using digest = std::array<unsigned char, 32>;

  struct entry {
    std::string server;
    std::vector<ssl_session_ptr> sessions;   // the newest last
    digest verified{};                       // of the server's certificate
    std::chrono::steady_clock::time_point verified_at{};
  };
  using entries = std::list<entry>;

  entries::iterator find(std::string const& server);
  static std::optional<digest> digest_of(X509 const* certificate) noexcept;

  std::size_t const max_servers_;
  std::mutex mutex_;
  entries entries_;   // the server used last comes first
  std::unordered_map<std::string, entries::iterator> index_;
};

}  // namespace cotls::detail
