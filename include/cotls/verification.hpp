#pragma once

#include <cotls/certificate.hpp>

#include <string>

namespace cotls {

/** What OpenSSL has found of a certificate of the peer's chain (`context::set_verifier`). */
class verification {
 public:
  verification(int result, int depth, cotls::certificate const& of)
      : certificate_(of), result_(result), depth_(depth) {}

  /** Why the certificate would be refused (`X509_V_ERR_…`); 0, which is `X509_V_OK`, when it would
      not. */
  int result() const noexcept { return result_; }

  /** The same in words: "the peer's certificate has expired"; empty when it would be accepted. */
  std::string reason() const;

  /** The certificate's place: 0 is the peer's own, 1 its issuer's. */
  int depth() const noexcept { return depth_; }

  cotls::certificate const& certificate() const& noexcept { return certificate_; }
  cotls::certificate certificate() && noexcept { return certificate_; }

 private:
  cotls::certificate certificate_;
  int result_;
  int depth_;
};

}  // namespace cotls
