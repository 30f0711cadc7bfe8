// From bytes to a verdict:
//
//   response: status | basic response: signature, certificates | single responses
//                      |                                         |
//                      signed by the issuer, or by whom          of which certificate, its status,
//                      it lets sign (OCSPSigning)                 from when until when
//
// The issuer is trusted, for the chain that it is in was verified, and nobody else is.

#include "trust/ocsp_response.hpp"

#include "openssl/openssl_error.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace cotls::detail {

namespace {

constexpr std::time_t clock_difference = 300;   // seconds

struct digest {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;

  bool equals(ASN1_OCTET_STRING const* other) const {
    auto const length = static_cast<std::size_t>(ASN1_STRING_length(other));
    std::span<unsigned char const> const theirs(ASN1_STRING_get0_data(other), length);
    return size > 0 && std::ranges::equal(std::span(bytes).first(size), theirs);
  }
};

// Whether a single response speaks of a certificate (RFC 6960 section 4.1.1). Without an issuer its
// key is not looked at.
bool speaks_of(OCSP_SINGLERESP* single, X509* certificate, X509* issuer) {
  ASN1_OCTET_STRING* name = nullptr;
  ASN1_OCTET_STRING* key = nullptr;
  ASN1_OBJECT* algorithm = nullptr;
  ASN1_INTEGER* serial = nullptr;
  auto* const id = const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(single));
  if (OCSP_id_get0_info(&name, &algorithm, &key, &serial, id) != 1) return false;
  if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate)) != 0) return false;
  EVP_MD const* const kind = EVP_get_digestbynid(OBJ_obj2nid(algorithm));
  if (!kind) return false;
  digest made;
  if (X509_NAME_digest(X509_get_issuer_name(certificate), kind, made.bytes.data(),
                       &made.size) != 1 || !made.equals(name)) {
    return false;
  }
  if (!issuer) return true;
  return X509_pubkey_digest(issuer, kind, made.bytes.data(), &made.size) == 1 && made.equals(key);
}

// What is wrong with the time of a response; empty: nothing.
//
// RFC 5019 section 4: "Clients MUST check for the existence of the nextUpdate field and MUST ensure
// the current time, expressed in GMT time as described in Section 2.2.4, falls between the
// thisUpdate and nextUpdate times." One without an end could be shown for ever.
std::string_view time_defect(ASN1_TIME const* from, ASN1_TIME const* until, std::time_t today) {
  if (!until) return "it has no end";
  if (!from || ASN1_TIME_cmp_time_t(from, today + clock_difference) != -1) {
    return "it is not valid yet";
  }
  if (ASN1_TIME_cmp_time_t(until, today - clock_difference) != 1) return "it has expired";
  return {};
}

std::string_view time_defect(OCSP_SINGLERESP* single, std::time_t today) {
  ASN1_GENERALIZEDTIME* from = nullptr;
  ASN1_GENERALIZEDTIME* until = nullptr;
  OCSP_single_get0_status(single, nullptr, nullptr, &from, &until);
  return time_defect(from, until, today);
}

ocsp_verdict verdict_of(OCSP_SINGLERESP* single, std::time_t today) {
  switch (OCSP_single_get0_status(single, nullptr, nullptr, nullptr, nullptr)) {
    case V_OCSP_CERTSTATUS_GOOD: return {false, time_defect(single, today)};
    case V_OCSP_CERTSTATUS_REVOKED: return {true, {}};
    default: return {false, "it says that the certificate is unknown"};
  }
}

using store_ptr = std::unique_ptr<X509_STORE, openssl_deleter<X509_STORE_free>>;
using borrowed_stack =
    std::unique_ptr<STACK_OF(X509), decltype([](STACK_OF(X509)* of) { sk_X509_free(of); })>;

// Trusts the issuer alone. OpenSSL then takes a signature of the issuer's own key, and one of a
// certificate that the issuer itself has made for it.
store_ptr make_store(X509* issuer, std::time_t today, int security_level) {
  store_ptr made(X509_STORE_new());
  bool const filled = made && X509_STORE_add_cert(made.get(), issuer) == 1 &&
                      X509_STORE_set_flags(made.get(), X509_V_FLAG_PARTIAL_CHAIN) == 1;
  if (!filled) return nullptr;
  X509_VERIFY_PARAM* const parameters = X509_STORE_get0_param(made.get());
  X509_VERIFY_PARAM_set_time(parameters, today);
  X509_VERIFY_PARAM_set_auth_level(parameters, security_level);
  return made;
}

bool is_signed(OCSP_BASICRESP* basic, X509* issuer, std::time_t today, int security_level) {
  store_ptr const store = make_store(issuer, today, security_level);
  borrowed_stack const others(sk_X509_new_null());
  if (!store || !others || sk_X509_push(others.get(), issuer) <= 0) return false;
  return OCSP_basic_verify(basic, others.get(), store.get(), OCSP_NOEXPLICIT) == 1;
}

// In the middle of a handshake, what is left in the queue would be read as the handshake's own.
struct queue_cleaner {
  ~queue_cleaner() { clear_openssl_errors(); }
};

}  // namespace

ocsp_response::ocsp_response(std::span<unsigned char const> der)
    : der_(der.begin(), der.end()), defect_(read()) {
  clear_openssl_errors();
}

std::string_view ocsp_response::read() {
  using response_ptr = std::unique_ptr<OCSP_RESPONSE, openssl_deleter<OCSP_RESPONSE_free>>;
  unsigned char const* at = der_.data();
  response_ptr const whole(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der_.size())));
  if (!whole || at != der_.data() + der_.size()) return "it is no OCSP response in DER";
  if (OCSP_response_status(whole.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    return "it says that the responder has failed";
  }
  basic_.reset(OCSP_response_get1_basic(whole.get()));
  if (!basic_) return "it is of a type that is not known";
  for (int i = 0; i < OCSP_resp_count(basic_.get()); ++i) {
    ASN1_GENERALIZEDTIME* until = nullptr;
    OCSP_single_get0_status(OCSP_resp_get0(basic_.get(), i), nullptr, nullptr, nullptr, &until);
    if (!until) return "it has no end";
  }
  return OCSP_resp_count(basic_.get()) > 0 ? "" : "it says nothing of any certificate";
}

bool ocsp_response::is_of(X509* certificate) const {
  queue_cleaner const clean;
  for (int i = 0; i < OCSP_resp_count(basic_.get()); ++i) {
    if (speaks_of(OCSP_resp_get0(basic_.get(), i), certificate, nullptr)) return true;
  }
  return false;
}

bool ocsp_response::is_current(X509* certificate, std::time_t today) const {
  queue_cleaner const clean;
  for (int i = 0; i < OCSP_resp_count(basic_.get()); ++i) {
    OCSP_SINGLERESP* const single = OCSP_resp_get0(basic_.get(), i);
    if (speaks_of(single, certificate, nullptr) && time_defect(single, today).empty()) return true;
  }
  return false;
}

ocsp_verdict ocsp_response::judge(X509* certificate, X509* issuer, std::time_t today,
                                  int security_level) const {
  if (!defect_.empty()) return {false, defect_};
  queue_cleaner const clean;
  ocsp_verdict found{false, "it is of another certificate"};
  bool good = false;
  for (int i = 0; i < OCSP_resp_count(basic_.get()); ++i) {
    OCSP_SINGLERESP* const single = OCSP_resp_get0(basic_.get(), i);
    if (!speaks_of(single, certificate, issuer)) continue;
    ocsp_verdict const one = verdict_of(single, today);
    good |= one.good();
    if (!found.revoked) found = one;
  }
  if (good && !found.revoked) found = {};
  bool const signature_counts = found.good() || found.revoked;
  if (!signature_counts || is_signed(basic_.get(), issuer, today, security_level)) return found;
  return {false, "its signature is not that of the certificate's issuer, nor of whom it lets sign"};
}

bool must_be_stapled(X509* certificate) {
  using features_ptr = std::unique_ptr<TLS_FEATURE, openssl_deleter<TLS_FEATURE_free>>;
  features_ptr const features(static_cast<TLS_FEATURE*>(
      X509_get_ext_d2i(certificate, NID_tlsfeature, nullptr, nullptr)));
  for (int i = 0; i < sk_ASN1_INTEGER_num(features.get()); ++i) {
    std::int64_t value = 0;
    ASN1_INTEGER_get_int64(&value, sk_ASN1_INTEGER_value(features.get(), i));
    if (value == TLSEXT_TYPE_status_request) return true;
  }
  return false;
}

}  // namespace cotls::detail
