// Certificates of version 3 (RFC 5280), made with OpenSSL alone: what the library reads is not made
// by the library.

#include "pki.hpp"

#include "openssl/openssl_ptr.hpp"

#include <boost/asio/ip/address.hpp>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <atomic>
#include <stdexcept>

namespace cotls::test {

using detail::bio_ptr;
using detail::pkey_ptr;
using detail::x509_extension_ptr;
using detail::x509_name_ptr;
using detail::x509_ptr;

struct authority::state {
  x509_ptr certificate;
  pkey_ptr key;
  std::shared_ptr<state const> issuer;   // null for a root
};

namespace {

void check(bool succeeded) {
  if (!succeeded) throw std::runtime_error("making a certificate failed");
}

// RSA that is for RSA-PSS alone (RFC 4055 section 1.2).
pkey_ptr generate_rsa_pss(int bits) {
  std::unique_ptr<EVP_PKEY_CTX, detail::openssl_deleter<EVP_PKEY_CTX_free>> const making(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr));
  EVP_PKEY* made = nullptr;
  check(making && EVP_PKEY_keygen_init(making.get()) == 1 &&
        EVP_PKEY_CTX_set_rsa_keygen_bits(making.get(), bits) == 1 &&
        EVP_PKEY_generate(making.get(), &made) == 1);
  return pkey_ptr(made);
}

pkey_ptr generate(key_kind kind) {
  pkey_ptr key;
  switch (kind) {
    case key_kind::ec_p256: key.reset(EVP_EC_gen("P-256")); break;
    case key_kind::rsa_2048: key.reset(EVP_RSA_gen(2048)); break;
    case key_kind::rsa_pss_2048: key = generate_rsa_pss(2048); break;
    case key_kind::ed25519:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
      break;
    case key_kind::ed448: key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448")); break;
  }
  check(key != nullptr);
  return key;
}

void add_extension(X509* to, X509* issuer, int which, std::string const& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  x509_extension_ptr const made(X509V3_EXT_conf_nid(nullptr, &context, which, value.c_str()));
  check(made && X509_add_ext(to, made.get(), -1) == 1);
}

std::string alternative_names(std::vector<std::string> const& names) {
  std::string list;
  for (auto const& name : names) {
    boost::system::error_code no_address;
    boost::asio::ip::make_address(name, no_address);
    if (!list.empty()) list += ',';
    list += (no_address ? "DNS:" : "IP:") + name;
  }
  return list;
}

char const* usage_of(purpose meant) {
  switch (meant) {
    case purpose::server: return "serverAuth";
    case purpose::client: return "clientAuth";
    case purpose::ocsp_responder: return "OCSPSigning";
  }
  return "";
}

// All but the extensions and the signature. Serial numbers are unique in the process.
x509_ptr begin(std::string const& name, EVP_PKEY* key, X509 const* issuer,
               std::chrono::seconds from, std::chrono::seconds until) {
  static std::atomic<long> serial = 1;
  x509_ptr made(X509_new());
  check(made && X509_set_version(made.get(), X509_VERSION_3) == 1);
  check(ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial++) == 1);
  check(X509_gmtime_adj(X509_getm_notBefore(made.get()), static_cast<long>(from.count())) &&
        X509_gmtime_adj(X509_getm_notAfter(made.get()), static_cast<long>(until.count())));
  x509_name_ptr const subject(X509_NAME_new());
  auto const* const text = reinterpret_cast<unsigned char const*>(name.data());
  check(subject && X509_NAME_add_entry_by_NID(subject.get(), NID_commonName, MBSTRING_UTF8, text,
                                              static_cast<int>(name.size()), -1, 0) == 1);
  check(X509_set_subject_name(made.get(), subject.get()) == 1);
  check(X509_set_issuer_name(
            made.get(), issuer ? X509_get_subject_name(issuer) : subject.get()) == 1);
  check(X509_set_pubkey(made.get(), key) == 1);
  return made;
}

void sign(X509* made, EVP_PKEY* with) { check(X509_sign(made, with, EVP_sha256()) > 0); }

template <class Write>
std::string to_pem(Write const& write) {
  bio_ptr const out(BIO_new(BIO_s_mem()));
  check(out && write(out.get()) == 1);
  char* data = nullptr;
  long const size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string to_pem(X509* certificate) {
  return to_pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
}

std::string to_pem(X509_CRL* list) {
  return to_pem([&](BIO* out) { return PEM_write_bio_X509_CRL(out, list); });
}

std::string to_pem(EVP_PKEY* key) {
  return to_pem([&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

// An authority's certificate; signed by itself without an issuer.
x509_ptr make_authority(std::string const& name, EVP_PKEY* key, X509* issuer,
                        EVP_PKEY* issuer_key) {
  x509_ptr made =
      begin(name, key, issuer, -std::chrono::hours(48), std::chrono::hours(24 * 7));
  X509* const above = issuer ? issuer : made.get();
  add_extension(made.get(), above, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(made.get(), above, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(made.get(), above, NID_subject_key_identifier, "hash");
  add_extension(made.get(), above, NID_authority_key_identifier, "keyid");
  sign(made.get(), issuer_key);
  return made;
}

using crl_ptr = std::unique_ptr<X509_CRL, detail::openssl_deleter<X509_CRL_free>>;
using asn1_time_ptr = std::unique_ptr<ASN1_TIME, detail::openssl_deleter<ASN1_TIME_free>>;

asn1_time_ptr time_from_now(std::chrono::seconds offset) {
  asn1_time_ptr made(X509_gmtime_adj(nullptr, static_cast<long>(offset.count())));
  check(made != nullptr);
  return made;
}

void revoke(X509_CRL* in, X509* certificate) {
  std::unique_ptr<X509_REVOKED, detail::openssl_deleter<X509_REVOKED_free>> entry(
      X509_REVOKED_new());
  check(entry && X509_REVOKED_set_serialNumber(entry.get(), X509_get_serialNumber(certificate)) == 1);
  check(X509_REVOKED_set_revocationDate(entry.get(), time_from_now({}).get()) == 1);
  check(X509_CRL_add0_revoked(in, entry.get()) == 1);
  entry.release();
}

}  // namespace

authority::authority(std::string const& name) {
  auto made = std::make_shared<state>();
  made->key = generate(key_kind::ec_p256);
  made->certificate = make_authority(name, made->key.get(), nullptr, made->key.get());
  state_ = std::move(made);
}

authority authority::make_intermediate(std::string const& name) const {
  auto made = std::make_shared<state>();
  made->key = generate(key_kind::ec_p256);
  made->certificate = make_authority(name, made->key.get(), state_->certificate.get(),
                                     state_->key.get());
  made->issuer = state_;
  return authority(std::move(made));
}

issued authority::issue(certificate_request const& request) const {
  pkey_ptr const key = generate(request.kind());
  X509* const issuer = state_->certificate.get();
  x509_ptr const made =
      begin(request.names().front(), key.get(), issuer, request.from(), request.until());
  add_extension(made.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(made.get(), issuer, NID_key_usage, "critical,digitalSignature");
  add_extension(made.get(), issuer, NID_ext_key_usage, usage_of(request.meant()));
  if (request.is_must_staple()) {
    add_extension(made.get(), issuer, NID_tlsfeature, "status_request");
  }
  std::string const names = request.alternative_names().value_or(alternative_names(request.names()));
  if (!names.empty()) add_extension(made.get(), issuer, NID_subject_alt_name, names);
  add_extension(made.get(), issuer, NID_subject_key_identifier, "hash");
  add_extension(made.get(), issuer, NID_authority_key_identifier, "keyid");
  sign(made.get(), state_->key.get());

  issued result;
  result.certificate = to_pem(made.get());
  result.key = to_pem(key.get());
  for (auto const* above = state_.get(); above->issuer; above = above->issuer.get()) {
    result.intermediates += to_pem(above->certificate.get());
  }
  return result;
}

std::string authority::revocation_list(std::vector<cotls::certificate> const& revoked,
                                       std::chrono::seconds next_update) const {
  crl_ptr const made(X509_CRL_new());
  X509_NAME const* const issuer = X509_get_subject_name(state_->certificate.get());
  // Of two lists the one that was made later counts.
  static std::atomic<int> later = 0;
  auto const begin = time_from_now(-std::chrono::hours(2) + std::chrono::seconds(later++));
  auto const end = time_from_now(next_update);
  check(made && X509_CRL_set_version(made.get(), X509_CRL_VERSION_2) == 1 &&
        X509_CRL_set_issuer_name(made.get(), issuer) == 1 &&
        X509_CRL_set1_lastUpdate(made.get(), begin.get()) == 1 &&
        X509_CRL_set1_nextUpdate(made.get(), end.get()) == 1);
  for (cotls::certificate const& each : revoked) revoke(made.get(), each.native_handle());
  check(X509_CRL_sort(made.get()) == 1);
  check(X509_CRL_sign(made.get(), state_->key.get(), EVP_sha256()) > 0);
  return to_pem(made.get());
}

std::string authority::pem() const { return to_pem(state_->certificate.get()); }

std::string authority::key() const { return to_pem(state_->key.get()); }

}  // namespace cotls::test
