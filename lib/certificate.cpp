#include <cotls/certificate.hpp>

#include "chain_key.hpp"
#include "fail.hpp"
#include "host_name.hpp"
#include "key_kind.hpp"
#include "openssl_error.hpp"
#include "openssl_ptr.hpp"
#include "pem_input.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <climits>
#include <ctime>
#include <optional>
#include <utility>

namespace cotls {

namespace {

namespace asio = boost::asio;
using namespace detail;

std::string contents_of(BIO* bio) {
  char* data = nullptr;
  long const size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

bio_ptr make_output() {
  bio_ptr output(BIO_new(BIO_s_mem()));
  if (!output) throw_openssl_error({}, "writing to memory");
  return output;
}

std::string one_line(X509_NAME const* name) {
  bio_ptr const output = make_output();
  // Letters beyond ASCII stay readable as UTF-8; control characters stay escaped.
  X509_NAME_print_ex(output.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return contents_of(output.get());
}

// Certificates without an expiry end in the year 9999 (RFC 5280 section 4.1.2.5), beyond what a
// system_clock that counts nanoseconds can hold; the nearest time it can hold stands for it.
std::chrono::system_clock::time_point to_time_point(ASN1_TIME const* time) {
  using namespace std::chrono;
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  sys_days const day = year(parts.tm_year + 1900) / month(static_cast<unsigned>(parts.tm_mon + 1)) /
                       std::chrono::day(static_cast<unsigned>(parts.tm_mday));
  sys_seconds const exact =
      day + hours(parts.tm_hour) + minutes(parts.tm_min) + seconds(parts.tm_sec);
  if (exact >= floor<seconds>(system_clock::time_point::max())) {
    return system_clock::time_point::max();
  }
  if (exact <= ceil<seconds>(system_clock::time_point::min())) {
    return system_clock::time_point::min();
  }
  return exact;
}

std::string_view view_of(ASN1_STRING const* text) {
  return {reinterpret_cast<char const*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string address_text(ASN1_OCTET_STRING const* octets) {
  unsigned char const* data = ASN1_STRING_get0_data(octets);
  asio::ip::address_v4::bytes_type v4;
  asio::ip::address_v6::bytes_type v6;
  auto const size = static_cast<std::size_t>(ASN1_STRING_length(octets));
  if (size == v4.size()) {
    std::copy_n(data, size, v4.begin());
    return asio::ip::address_v4(v4).to_string();
  }
  if (size == v6.size()) {
    std::copy_n(data, size, v6.begin());
    return asio::ip::address_v6(v6).to_string();
  }
  return {};
}

x509_ptr parse_der(std::span<unsigned char const> der, std::string const& doing) {
  clear_openssl_errors();
  unsigned char const* rest = der.data();
  x509_ptr parsed;
  if (der.size() <= LONG_MAX) {
    parsed.reset(d2i_X509(nullptr, &rest, static_cast<long>(der.size())));
  }
  if (parsed && rest == der.data() + der.size()) return parsed;
  throw_openssl_error(errc::no_certificate_found, doing);
}

std::vector<certificate> parse_chain(std::string_view pem, std::string const& doing) {
  clear_openssl_errors();
  bio_ptr const input = bio_over(pem);
  std::vector<certificate> found;
  for (;;) {
    x509_ptr const next(PEM_read_bio_X509(input.get(), nullptr, no_password, nullptr));
    if (next) {
      found.push_back(certificate::from_native(next.get()));
      continue;
    }
    openssl_error taken = take_openssl_error();
    // A damaged certificate must not pass for the end of the chain.
    if (!found.empty() && is_end_of_pem(taken.code)) return found;
    throw_openssl_error(errc::no_certificate_found, doing, std::move(taken));
  }
}

}  // namespace

certificate certificate::from_pem(std::string_view pem) {
  clear_openssl_errors();
  bio_ptr const input = bio_over(pem);
  x509_ptr parsed(PEM_read_bio_X509(input.get(), nullptr, no_password, nullptr));
  if (!parsed) throw_openssl_error(errc::no_certificate_found, "reading a PEM certificate");
  return certificate(std::move(parsed));
}

certificate certificate::from_der(std::span<unsigned char const> der) {
  return certificate(parse_der(der, "reading a DER certificate"));
}

certificate certificate::from_native(x509_st* handle) {
  X509_up_ref(handle);
  return certificate(x509_ptr(handle));
}

std::string certificate::pem() const {
  bio_ptr const output = make_output();
  clear_openssl_errors();
  if (PEM_write_bio_X509(output.get(), handle_.get()) != 1) {
    throw_openssl_error({}, "writing a certificate");
  }
  return contents_of(output.get());
}

std::vector<unsigned char> certificate::der() const {
  unsigned char* written = nullptr;
  clear_openssl_errors();
  int const size = i2d_X509(handle_.get(), &written);
  openssl_memory_ptr const bytes(written);
  if (size < 0) throw_openssl_error({}, "writing a certificate");
  return {bytes.get(), bytes.get() + size};
}

std::string certificate::subject() const { return one_line(X509_get_subject_name(handle_.get())); }

std::string certificate::issuer() const { return one_line(X509_get_issuer_name(handle_.get())); }

std::vector<std::string> certificate::names() const {
  general_names_ptr const entries(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(handle_.get(), NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> found;
  for (int i = 0; i < sk_GENERAL_NAME_num(entries.get()); ++i) {
    GENERAL_NAME const* entry = sk_GENERAL_NAME_value(entries.get(), i);
    if (entry->type == GEN_DNS) found.emplace_back(view_of(entry->d.dNSName));
    if (entry->type != GEN_IPADD) continue;
    std::string address = address_text(entry->d.iPAddress);
    if (!address.empty()) found.push_back(std::move(address));
  }
  return found;
}

std::chrono::system_clock::time_point certificate::not_before() const {
  return to_time_point(X509_get0_notBefore(handle_.get()));
}

std::chrono::system_clock::time_point certificate::not_after() const {
  return to_time_point(X509_get0_notAfter(handle_.get()));
}

std::string certificate::serial_number() const {
  bignum_ptr const number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(handle_.get()), nullptr));
  openssl_string_ptr const digits(number ? BN_bn2hex(number.get()) : nullptr);
  std::string const text = digits ? digits.get() : "";
  return text == "0" ? "00" : text;   // OpenSSL writes all but this in bytes
}

std::string certificate::key_kind() const {
  return detail::key_kind(X509_get0_pubkey(handle_.get()));
}

std::string certificate::signature_algorithm() const {
  int const known = X509_get_signature_nid(handle_.get());
  return known == NID_undef ? "unknown" : OBJ_nid2ln(known);
}

std::string certificate::fingerprint() const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  clear_openssl_errors();
  if (X509_digest(handle_.get(), EVP_sha256(), digest.data(), &size) != 1) {
    throw_openssl_error({}, "digesting a certificate");
  }
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    if (i > 0) text += ':';
    text += digits[digest[i] >> 4];
    text += digits[digest[i] & 15];
  }
  return text;
}

bool certificate::matches(std::string_view host) const {
  std::optional<host_name> const meant = host_name::parse(host);
  return meant && meant->is_named_by(handle_.get());
}

certificate_chain certificate_chain::from_pem(std::string_view pem) {
  return certificate_chain(parse_chain(pem, "reading a PEM certificate chain"));
}

certificate_chain certificate_chain::from_pem_file(std::filesystem::path const& path) {
  std::string const doing = "loading the certificate chain " + path.string();
  file_contents const contents(path, doing);
  return certificate_chain(parse_chain(contents.view(), doing));
}

certificate_chain certificate_chain::from_der_file(std::filesystem::path const& path) {
  std::string const doing = "loading the certificate " + path.string();
  file_contents const contents(path, doing);
  std::string_view const der = contents.view();
  x509_ptr const parsed =
      parse_der({reinterpret_cast<unsigned char const*>(der.data()), der.size()}, doing);
  return certificate_chain({certificate::from_native(parsed.get())});
}

certificate_chain::certificate_chain(std::vector<certificate> certificates)
    : certificates_(std::make_shared<std::vector<certificate> const>(std::move(certificates))) {
  if (certificates_->empty()) throw error(errc::no_certificate_found);
}

identity::identity(certificate_chain chain, private_key key)
    : chain_(std::move(chain)), key_(std::move(key)) {
  check_key_of(chain_, key_.native_handle(), "pairing a certificate chain and a private key");
}

namespace {

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
