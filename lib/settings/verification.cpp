#include <cotls/verification.hpp>

#include "error/words.hpp"

#include <openssl/x509_vfy.h>

namespace cotls {

std::string verification::reason() const {
  return result_ == X509_V_OK ? std::string() : detail::verification_reason(result_, depth_);
}

}  // namespace cotls
