#include "openssl.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <stdexcept>

namespace cotls::test {

void request_key_update(ssl_st* ssl) {
  if (SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) != 1) {
    throw std::runtime_error("no key update can be sent");
  }
}

void leave_an_openssl_error() { ERR_raise(ERR_LIB_PEM, PEM_R_NO_START_LINE); }

}  // namespace cotls::test
