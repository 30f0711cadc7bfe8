#include <cotls/peer_info.hpp>

#include <openssl/x509_vfy.h>

namespace cotls {

std::string peer_info::verify_reason() const {
  return verify_result_ == X509_V_OK ? "" : X509_verify_cert_error_string(verify_result_);
}

}  // namespace cotls
