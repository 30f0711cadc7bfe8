#pragma once

#include "openssl/openssl_ptr.hpp"

#include <openssl/ocsp.h>

#include <ctime>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace cotls::detail {

/** What an OCSP response comes to, for one certificate. */
struct ocsp_verdict {
  bool revoked = false;
  std::string_view wrong;   ///< Why it is of no use, a sentence about "it"; empty: nothing is.

  bool good() const noexcept { return !revoked && wrong.empty(); }
};

/** An authority's word on whether certificates of its own were revoked (RFC 6960 section 4.2.1). */
class ocsp_response {
 public:
  /** Reads one in DER; of what is none, `defect` says why. */
  explicit ocsp_response(std::span<unsigned char const> der);

  std::string_view defect() const noexcept { return defect_; }

  std::span<unsigned char const> der() const noexcept { return der_; }

  /** Tells whether it speaks of a certificate, as far as can be seen without the issuer's. */
  bool is_of(X509* certificate) const;

  /** The same, and whether it is in time for it. */
  bool is_current(X509* certificate, std::time_t today) const;

  /** Verifies it, for a chain that was verified (RFC 6960 section 3.2).
      @param security_level  OpenSSL's, for the certificate of a responder. */
  ocsp_verdict judge(X509* certificate, X509* issuer, std::time_t today,
                     int security_level) const;

 private:
  using basic_ptr = std::unique_ptr<OCSP_BASICRESP, openssl_deleter<OCSP_BASICRESP_free>>;

  std::string_view read();

  std::vector<unsigned char> der_;
  basic_ptr basic_;
  std::string_view defect_;
};

/** Tells whether a certificate is to be shown with a response alone ("must-staple", RFC 7633). */
bool must_be_stapled(X509* certificate);

}  // namespace cotls::detail
