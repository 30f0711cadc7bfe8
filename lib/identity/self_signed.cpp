#include <cotls/identity.hpp>

#include "error/fail.hpp"
#include "identity/host_name.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"

#include <algorithm>
#include <climits>
#include <ctime>
#include <optional>

namespace cotls {

namespace {

using namespace detail;

constexpr std::size_t max_common_name = 64;    // RFC 5280 appendix A.1, ub-common-name

// What four digits of a year can say, RFC 5280 section 4.1.2.5.2.
constexpr std::time_t first_time = -62'167'219'200;
constexpr std::time_t last_time = 253'402'300'799;

void check(bool succeeded) {
  if (!succeeded) throw_openssl_error({}, "making a self-signed certificate");
}

// A name is one that a client may verify. RFC 9525 section 6.3 lets a wildcard stand for the first
// label, whole, and nowhere else.
host_name read_name(std::string name) {
  if (name.starts_with("*.") && name.size() > 2) name.front() = 'x';
  std::optional<host_name> read = host_name::parse(name);
  if (!read || read->has_zone()) {
    fail(errc::invalid_host_name, "making a self-signed certificate");
  }
  return std::move(*read);
}

// As certificates have it (RFC 5280 section 4.2.1.6).
std::string_view without_final_dot(std::string_view name) noexcept {
  return name.substr(0, name.size() - (name.ends_with('.') ? 1 : 0));
}

general_name_ptr make_general_name(std::string const& name) {
  general_name_ptr entry(GENERAL_NAME_new());
  check(entry != nullptr);
  if (auto const address = read_name(name).address()) {
    std::string const bytes = octets_of(*address);
    asn1_octet_string_ptr octets(ASN1_OCTET_STRING_new());
    check(octets && ASN1_STRING_set(octets.get(), bytes.data(),
                                    static_cast<int>(bytes.size())) == 1);
    GENERAL_NAME_set0_value(entry.get(), GEN_IPADD, octets.release());
    return entry;
  }
  std::string_view const written = without_final_dot(name);
  asn1_ia5string_ptr text(ASN1_IA5STRING_new());
  check(text &&
        ASN1_STRING_set(text.get(), written.data(), static_cast<int>(written.size())) == 1);
  GENERAL_NAME_set0_value(entry.get(), GEN_DNS, text.release());
  return entry;
}

void add_alternative_names(X509* to, std::vector<std::string> const& names) {
  general_names_ptr const entries(GENERAL_NAMES_new());
  check(entries != nullptr);
  for (std::string const& name : names) {
    general_name_ptr entry = make_general_name(name);
    check(sk_GENERAL_NAME_push(entries.get(), entry.get()) > 0);
    entry.release();
  }
  check(X509_add1_ext_i2d(to, NID_subject_alt_name, entries.get(), 0, X509V3_ADD_DEFAULT) == 1);
}

void add_extension(X509* to, int kind, char const* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, to, to, nullptr, nullptr, 0);
  x509_extension_ptr const extension(X509V3_EXT_nconf_nid(nullptr, &context, kind, value));
  check(extension && X509_add_ext(to, extension.get(), -1) == 1);
}

// An end entity's certificate, not an authority's: Firefox and webpki refuse a server that shows
// one of the latter. No keyUsage: without keyCertSign OpenSSL 1.1 would not take it for its own
// issuer, and RFC 5280 section 4.2.1.9 allows keyCertSign to authorities only.
void add_extensions(X509* to, std::vector<std::string> const& names) {
  add_extension(to, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(to, NID_ext_key_usage, "serverAuth,clientAuth");
  add_extension(to, NID_subject_key_identifier, "hash");
  add_extension(to, NID_authority_key_identifier, "keyid:always");
  add_alternative_names(to, names);
}

void set_random_serial(X509* to) {
  bignum_ptr const number(BN_new());
  check(number && BN_rand(number.get(), 128, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1);
  check(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(to)) != nullptr);
}

void set_validity(X509* to, self_signed_options const& options) {
  std::time_t const now = std::time(nullptr);
  auto const time = [now](std::chrono::seconds offset) {
    return now + std::clamp<std::time_t>(offset.count(), first_time - now, last_time - now);
  };
  check(ASN1_TIME_set(X509_getm_notBefore(to), time(options.from())) != nullptr);
  check(ASN1_TIME_set(X509_getm_notAfter(to), time(options.until())) != nullptr);
}

void set_names(X509* to, std::string const& name) {
  std::string const common(without_final_dot(name).substr(0, max_common_name));
  x509_name_ptr const subject(X509_NAME_new());
  check(subject && X509_NAME_add_entry_by_NID(
                       subject.get(), NID_commonName, MBSTRING_ASC,
                       reinterpret_cast<unsigned char const*>(common.c_str()), -1, -1, 0) == 1);
  check(X509_set_subject_name(to, subject.get()) == 1);
  check(X509_set_issuer_name(to, subject.get()) == 1);
}

}  // namespace

identity make_self_signed(std::vector<std::string> const& names,
                          self_signed_options const& options) {
  read_name(names.empty() ? std::string() : names.front());
  for (std::string const& name : names) read_name(name);
  private_key key = private_key::generate();
  clear_openssl_errors();
  x509_ptr const made(X509_new());
  check(made && X509_set_version(made.get(), X509_VERSION_3) == 1);
  set_random_serial(made.get());
  set_validity(made.get(), options);
  set_names(made.get(), names.front());
  check(X509_set_pubkey(made.get(), key.native_handle()) == 1);
  add_extensions(made.get(), names);
  check(X509_sign(made.get(), key.native_handle(), EVP_sha256()) > 0);
  // Read back from its bytes: an object put together by hand is not yet what a peer will parse.
  certificate const leaf = certificate::from_pem(certificate::from_native(made.get()).pem());
  return identity(certificate_chain(std::vector{leaf}), std::move(key));
}

}  // namespace cotls
