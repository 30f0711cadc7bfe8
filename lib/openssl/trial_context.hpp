#pragma once

#include "openssl/library.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"

namespace cotls::detail {

/** Makes a context on which a setting is tried before it is made: a setter that throws leaves the
    real one as it was. It is of the same end, library and security level. */
inline ssl_ctx_ptr make_trial_context(SSL_CTX const* like) {
  clear_openssl_errors();
  ssl_ctx_ptr trial = make_ssl_ctx(SSL_CTX_get_ssl_method(like), library_of(like));
  if (!trial) throw_openssl_error({}, "making a context");
  SSL_CTX_set_security_level(trial.get(), SSL_CTX_get_security_level(like));
  return trial;
}

}  // namespace cotls::detail
