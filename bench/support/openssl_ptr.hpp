#pragma once

#include <openssl/ssl.h>

#include <memory>

namespace bench {

/* Owning handles of OpenSSL's objects. */

struct ssl_deleter {
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using ssl_ptr = std::unique_ptr<SSL, ssl_deleter>;
using ssl_context_ptr = std::unique_ptr<SSL_CTX, ssl_deleter>;
using ssl_session_ptr = std::unique_ptr<SSL_SESSION, ssl_deleter>;

}  // namespace bench
