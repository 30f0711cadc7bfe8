#include "openssl.hpp"

#include <openssl/ssl.h>

#include <stdexcept>

namespace cotls::test {

void request_key_update(ssl_st* ssl) {
  if (SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) != 1) {
    throw std::runtime_error("no key update can be sent");
  }
}

}  // namespace cotls::test
