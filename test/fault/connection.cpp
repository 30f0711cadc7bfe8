#include "connection.hpp"

#include <openssl/bio.h>
#include <openssl/ssl.h>

namespace cotls::test {

wire wire_of(ssl_st* ssl) {
  if (!ssl) return {};
  return {BIO_number_written(SSL_get_wbio(ssl)), BIO_number_read(SSL_get_rbio(ssl)),
          (SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN) != 0};
}

}  // namespace cotls::test
