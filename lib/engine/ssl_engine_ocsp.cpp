// The word of a server's authority that its certificate was not revoked:
//
//   set_ocsp -> the hello asks -> chain verified -> on_ocsp_response -> judged -> it goes on
//                                                                         |
//                                                                         +--> refused, and why

#include <cotls/detail/engine/ssl_engine.hpp>

#include "context/context_state.hpp"
#include "session/resumption.hpp"
#include "trust/ocsp_response.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstddef>
#include <span>
#include <string>

namespace cotls::detail {

namespace {

// The certificate behind the server's own in the chain that was verified. One that signs itself is
// its own issuer; of one that is trusted without its issuer, none is known.
X509* issuer_of(STACK_OF(X509)* chain) {
  if (sk_X509_num(chain) > 1) return sk_X509_value(chain, 1);
  X509* const own = sk_X509_num(chain) == 1 ? sk_X509_value(chain, 0) : nullptr;
  return own && X509_check_issued(own, own) == X509_V_OK ? own : nullptr;
}

// Also where the program has switched verification off for one connection: it fails closed.
ocsp_verdict verdict_of(SSL* ssl, std::span<unsigned char const> der) {
  bool const verified = SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE &&
                        SSL_get_verify_result(ssl) == X509_V_OK;
  STACK_OF(X509)* const chain = SSL_get0_verified_chain(ssl);
  X509* const issuer = verified ? issuer_of(chain) : nullptr;
  if (!issuer) return {false, "the issuer of the server's certificate was not verified"};
  return ocsp_response(der).judge(sk_X509_value(chain, 0), issuer, today(ssl),
                                  SSL_get_security_level(ssl));
}

}  // namespace

// No exception may cross OpenSSL. RFC 6066 section 8: clients "MUST check the OCSP response and
// abort the handshake if the response is not satisfactory with
// bad_certificate_status_response(113) alert", which is what OpenSSL does for 0.
int ssl_engine::on_ocsp_response(ssl_st* ssl, void*) {
  ssl_engine* const self = serving(ssl);
  return self ? self->judge_ocsp_response() : 0;
}

int ssl_engine::judge_ocsp_response() noexcept {
  unsigned char const* data = nullptr;
  long const size = SSL_get_tlsext_status_ocsp_resp(ssl_.get(), &data);
  X509* const own = SSL_get0_peer_certificate(ssl_.get());
  ocsp_ = stapled::refused;
  try {
    if (!data || size <= 0) {
      // Of a connection that others have made with our context nothing says that it may lack one.
      bool const must = !context_ || context_->settings().ocsp.wanted() == ocsp::require ||
                        (own && must_be_stapled(own));
      if (must) failures().refused_as = errc::no_ocsp_response;
      return must ? 0 : 1;
    }
    ocsp_verdict const found = verdict_of(ssl_.get(), {data, static_cast<std::size_t>(size)});
    if (found.good()) {
      ocsp_ = stapled::good;
      return 1;
    }
    failure& known = failures().fatal;
    if (found.revoked) {
      known.verify_result = X509_V_ERR_CERT_REVOKED;
      known.verify_subject = own ? certificate::from_native(own).subject() : std::string();
      known.remark = "so says its authority's OCSP response";
    } else {
      record_->refused_as = errc::invalid_ocsp_response;
      known.remark = found.wrong;
    }
  } catch (...) {
    // For want of memory it fails closed.
  }
  return 0;
}

// Before the server has proved to have the key, what it shows is anybody's. (On a server OpenSSL
// tells of its own.)
stapled ssl_engine::ocsp_response() const noexcept {
  unsigned char const* data = nullptr;
  if (is_server() || SSL_get_tlsext_status_ocsp_resp(ssl_.get(), &data) <= 0) return stapled::none;
  bool const settled = was_opened(phase_) || ocsp_ == stapled::refused;
  return settled && ocsp_ != stapled::none ? ocsp_ : stapled::unjudged;
}

}  // namespace cotls::detail
