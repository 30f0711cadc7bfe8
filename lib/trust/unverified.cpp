#include "trust/unverified.hpp"

#include <openssl/x509_vfy.h>

namespace cotls::detail {

int take_unverified(int, X509_STORE_CTX* store) {
  bool const sound = X509_STORE_CTX_get_error(store) == X509_V_OK;
  if (sound) X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
  return 1;
}

}  // namespace cotls::detail
