// OCSP responses (RFC 6960), made with OpenSSL alone.

#include "ocsp.hpp"

#include "openssl/openssl_ptr.hpp"

#include <openssl/ocsp.h>

#include <memory>
#include <stdexcept>

namespace cotls::test {

namespace {

using basic_ptr = std::unique_ptr<OCSP_BASICRESP, detail::openssl_deleter<OCSP_BASICRESP_free>>;
using certid_ptr = std::unique_ptr<OCSP_CERTID, detail::openssl_deleter<OCSP_CERTID_free>>;
using response_ptr = std::unique_ptr<OCSP_RESPONSE, detail::openssl_deleter<OCSP_RESPONSE_free>>;
using asn1_time_ptr = std::unique_ptr<ASN1_TIME, detail::openssl_deleter<ASN1_TIME_free>>;

void check(bool succeeded) {
  if (!succeeded) throw std::runtime_error("making an OCSP response failed");
}

asn1_time_ptr time_from_now(std::chrono::seconds offset) {
  return asn1_time_ptr(X509_gmtime_adj(nullptr, static_cast<long>(offset.count())));
}

int number_of(revocation_status status) {
  switch (status) {
    case revocation_status::good: return V_OCSP_CERTSTATUS_GOOD;
    case revocation_status::revoked: return V_OCSP_CERTSTATUS_REVOKED;
    case revocation_status::unknown: return V_OCSP_CERTSTATUS_UNKNOWN;
  }
  return -1;
}

std::string to_der(int status, OCSP_BASICRESP* basic) {
  response_ptr const whole(OCSP_response_create(status, basic));
  unsigned char* written = nullptr;
  int const size = i2d_OCSP_RESPONSE(whole.get(), &written);
  detail::openssl_memory_ptr const bytes(written);
  check(size > 0);
  return {reinterpret_cast<char const*>(bytes.get()), static_cast<std::size_t>(size)};
}

}  // namespace

std::string ocsp_answer::der() const {
  cotls::certificate const issuer = by_.certificate();
  certid_ptr const id(OCSP_cert_to_id(sha256_ ? EVP_sha256() : EVP_sha1(), of_.native_handle(),
                                      issuer.native_handle()));
  basic_ptr const basic(OCSP_BASICRESP_new());
  bool const revoked = status_ == revocation_status::revoked;
  auto const since = time_from_now(-std::chrono::hours(2));
  auto const begin = time_from_now(from_);
  auto const end = until_ ? time_from_now(*until_) : nullptr;
  check(id && basic &&
        OCSP_basic_add1_status(basic.get(), id.get(), number_of(status_), 0,
                               revoked ? since.get() : nullptr, begin.get(), end.get()));
  auto const signer = responder_ ? responder_->leaf() : issuer;
  auto const key = private_key::from_memory(responder_ ? responder_->key : by_.key());
  check(OCSP_basic_sign(basic.get(), signer.native_handle(), key.native_handle(), EVP_sha256(),
                        nullptr, responder_ ? 0 : OCSP_NOCERTS) == 1);
  return to_der(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get());
}

std::string failed_ocsp_response() { return to_der(OCSP_RESPONSE_STATUS_TRYLATER, nullptr); }

}  // namespace cotls::test
