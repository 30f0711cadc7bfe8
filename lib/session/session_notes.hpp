#pragma once

#include "openssl/openssl_ptr.hpp"

#include <cstddef>
#include <ctime>
#include <optional>
#include <string>

namespace cotls::detail {

/** What is noted in a session beside what OpenSSL keeps of it, as its ticket's application data: it
    goes wherever the session goes, into a ticket, a file, or a copy. */
class session_notes {
 public:
  explicit session_notes(std::time_t made) noexcept : made_(made) {}

  /** Returns what is noted; none where that is nothing of ours. */
  static std::optional<session_notes> of(SSL_SESSION* session);

  /** Writes them into a session, and returns whether OpenSSL could. */
  bool write_to(SSL_SESSION* session) const;

  /** Returns the moment of the full handshake that the session goes back to, however often it was
      renewed since, by the clock of its maker's context. */
  std::time_t made() const noexcept { return made_; }

  /** Takes the certificates that the peer has sent beside its own, of which OpenSSL keeps no more;
      those that were noted before go. */
  void keep(STACK_OF(X509)* others, X509 const* own);
  void keep_none() noexcept { others_.clear(); }

  /** Returns their size, in bytes. */
  std::size_t size() const noexcept { return others_.size(); }

  /** Returns the certificates; null where there are none. */
  x509_stack_ptr others() const;

 private:
  std::time_t made_;
  std::string others_;   // in DER, one behind the other
};

}  // namespace cotls::detail
