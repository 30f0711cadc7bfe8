#pragma once

#include "openssl_ptr.hpp"
#include "require.hpp"

namespace bench {

/** The session of the last connection, as a client keeps it that has to resume by hand. */
class kept_session {
 public:
  /** Keeps what the server gave this connection to resume with, or what it was resumed with when
      there was nothing new. OpenSSL spoils the session of a connection that ends without
      close_notify, so that a copy is kept. */
  void keep(SSL* connection) {
    SSL_SESSION* const last = SSL_get0_session(connection);
    require(last && SSL_SESSION_is_resumable(last) == 1, "there is no session to keep");
    kept_.reset(SSL_SESSION_dup(last));
    require(kept_ != nullptr, "the session cannot be copied");
  }

  /** Offers it to the server, once there is one. */
  void offer(SSL* connection) const {
    if (!kept_) return;
    require(SSL_set_session(connection, kept_.get()) == 1, "OpenSSL refuses the session");
  }

 private:
  ssl_session_ptr kept_;
};

}  // namespace bench
