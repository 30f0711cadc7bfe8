// Certificates as nobody should make them, made with OpenSSL alone. What is asked for is signed:
// nothing is checked here.

#include "hostile_pki.hpp"

#include "identity/host_name.hpp"
#include "openssl/openssl_ptr.hpp"

#include <boost/asio/ip/address.hpp>

#include <openssl/rsa.h>

#include <atomic>
#include <stdexcept>

namespace cotls::test {

struct crafted::key_pair {
  detail::pkey_ptr key;
};

namespace {

void check(bool succeeded, std::string const& doing) {
  if (!succeeded) throw std::runtime_error("making a certificate failed: " + doing);
}

detail::pkey_ptr generate(unsigned rsa_bits) {
  detail::pkey_ptr made(rsa_bits == 0 ? EVP_EC_gen("P-256") : EVP_RSA_gen(rsa_bits));
  check(made != nullptr, "the key");
  return made;
}

// ASN1_STRING_set takes octets as they are; a general name of text would end at a NUL.
detail::general_name_ptr make_general_name(alternative_name const& name) {
  bool const dns = name.type() == alternative_name::kind::dns;
  detail::general_name_ptr made(GENERAL_NAME_new());
  std::unique_ptr<ASN1_STRING, detail::openssl_deleter<ASN1_STRING_free>> octets(
      ASN1_STRING_type_new(dns ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING));
  check(made && octets && ASN1_STRING_set(octets.get(), name.octets().data(),
                                          static_cast<int>(name.octets().size())) == 1,
        "a name");
  GENERAL_NAME_set0_value(made.get(), dns ? GEN_DNS : GEN_IPADD, octets.release());
  return made;
}

void add_names(X509* to, std::vector<alternative_name> const& names) {
  if (names.empty()) return;
  detail::general_names_ptr const all(GENERAL_NAMES_new());
  for (alternative_name const& each : names) {
    detail::general_name_ptr made = make_general_name(each);
    check(all && sk_GENERAL_NAME_push(all.get(), made.get()) > 0, "the names");
    made.release();
  }
  check(X509_add1_ext_i2d(to, NID_subject_alt_name, all.get(), 0, 0) == 1, "the names");
}

void add_extension(X509* to, X509* issuer, std::string const& name, std::string const& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  detail::x509_extension_ptr const made(
      X509V3_EXT_nconf(nullptr, &context, name.c_str(), value.c_str()));
  check(made && X509_add_ext(to, made.get(), -1) == 1, name);
}

void set_subject(X509* of, std::string const& common_name) {
  detail::x509_name_ptr const name(X509_NAME_new());
  auto const* const text = reinterpret_cast<unsigned char const*>(common_name.data());
  check(name && X509_NAME_add_entry_by_NID(name.get(), NID_commonName, MBSTRING_UTF8, text,
                                           static_cast<int>(common_name.size()), -1, 0) == 1 &&
            X509_set_subject_name(of, name.get()) == 1,
        "the subject");
}

}  // namespace

alternative_name alternative_name::of(std::string const& text) {
  boost::system::error_code no_address;
  auto const read = boost::asio::ip::make_address(text, no_address);
  return no_address ? dns(text) : address(detail::octets_of(read));
}

blueprint blueprint::authority(std::string subject) {
  using std::chrono::hours;
  return blueprint()
      .subject(std::move(subject))
      .valid(-hours(48), hours(24 * 6))
      .extension("basicConstraints", "critical,CA:TRUE")
      .extension("keyUsage", "critical,keyCertSign,cRLSign");
}

blueprint blueprint::server(std::vector<std::string> const& names) {
  using std::chrono::hours;
  std::vector<alternative_name> all;
  for (std::string const& each : names) all.push_back(alternative_name::of(each));
  return blueprint()
      .subject("a server")
      .valid(-hours(1), hours(23))
      .extension("basicConstraints", "critical,CA:FALSE")
      .extension("keyUsage", "critical,digitalSignature")
      .extension("extendedKeyUsage", "serverAuth")
      .names(std::move(all));
}

crafted crafted::self_signed(blueprint const& plan) {
  return make(plan, std::make_shared<key_pair>(generate(plan.rsa_bits())), nullptr);
}

crafted crafted::sign(blueprint const& plan) const {
  return make(plan, std::make_shared<key_pair>(generate(plan.rsa_bits())), this);
}

crafted crafted::sign(blueprint const& plan, crafted const& of_the_same_key) const {
  return make(plan, of_the_same_key.pair_, this);
}

crafted crafted::make(blueprint const& plan, std::shared_ptr<key_pair const> pair,
                      crafted const* issuer) {
  static std::atomic<long> serial = 1'000'000;   // above those of pki.cpp
  detail::x509_ptr const made(X509_new());
  X509* const above = issuer ? issuer->certificate_.native_handle() : made.get();
  check(made && X509_set_version(made.get(), X509_VERSION_3) == 1 &&
            ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial++) == 1,
        "the serial number");
  check(X509_gmtime_adj(X509_getm_notBefore(made.get()), static_cast<long>(plan.from().count())) &&
            X509_gmtime_adj(X509_getm_notAfter(made.get()),
                            static_cast<long>(plan.until().count())),
        "the validity");
  set_subject(made.get(), plan.subject());
  check(X509_set_issuer_name(made.get(), X509_get_subject_name(above)) == 1 &&
            X509_set_pubkey(made.get(), pair->key.get()) == 1,
        "the issuer and the key");
  // The identifiers of keys come first: that of the issuer is made of its own.
  add_extension(made.get(), above, "subjectKeyIdentifier", "hash");
  add_extension(made.get(), above, "authorityKeyIdentifier", "keyid");
  for (auto const& [name, value] : plan.extensions()) {
    if (!value.empty()) add_extension(made.get(), above, name, value);
  }
  add_names(made.get(), plan.names());
  EVP_PKEY* const signer = (issuer ? issuer->pair_ : pair)->key.get();
  check(X509_sign(made.get(), signer, EVP_get_digestbyname(plan.digest().c_str())) > 0,
        "the signature");
  return crafted(certificate::from_native(made.get()), std::move(pair));
}

// The last byte is the signature's.
crafted crafted::with_wrong_signature() const {
  std::vector<unsigned char> bytes = certificate_.der();
  bytes.back() ^= 1;
  return crafted(certificate::from_der(bytes), pair_);
}

std::string crafted::key() const {
  detail::bio_ptr const out(BIO_new(BIO_s_mem()));
  check(out && PEM_write_bio_PKCS8PrivateKey(out.get(), pair_->key.get(), nullptr, nullptr, 0,
                                             nullptr, nullptr) == 1,
        "the key's text");
  char* data = nullptr;
  long const size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace cotls::test
