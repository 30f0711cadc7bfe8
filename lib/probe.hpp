#pragma once

#include "openssl_error.hpp"
#include "openssl_ptr.hpp"

namespace cotls::detail {

/** Makes a context on which a setting is tried before it is made: a setter that throws leaves the
    real one as it was. */
inline ssl_ctx_ptr make_probe(SSL_CTX const* like) {
  clear_openssl_errors();
  ssl_ctx_ptr probe(SSL_CTX_new(TLS_method()));
  if (!probe) throw_openssl_error({}, "making a context");
  SSL_CTX_set_security_level(probe.get(), SSL_CTX_get_security_level(like));
  return probe;
}

}  // namespace cotls::detail
