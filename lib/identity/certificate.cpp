#include <cotls/certificate.hpp>

#include "error/fail.hpp"
#include "identity/chain_key.hpp"
#include "identity/host_name.hpp"
#include "identity/key_kind.hpp"
#include "identity/pem_input.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <climits>
#include <ctime>
#include <initializer_list>
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

std::string name_text(GENERAL_NAME const* name) {
  switch (name->type) {
    case GEN_DNS: return std::string(view_of(name->d.dNSName));
    case GEN_EMAIL: return std::string(view_of(name->d.rfc822Name));
    case GEN_URI: return std::string(view_of(name->d.uniformResourceIdentifier));
    case GEN_IPADD: return address_text(name->d.iPAddress);
    default: return {};
  }
}

// The names of these kinds, in their order.
std::vector<std::string> names_of(X509 const* certificate, std::initializer_list<int> kinds) {
  general_names_ptr const entries(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> found;
  for (int i = 0; i < sk_GENERAL_NAME_num(entries.get()); ++i) {
    GENERAL_NAME const* entry = sk_GENERAL_NAME_value(entries.get(), i);
    if (std::find(kinds.begin(), kinds.end(), entry->type) == kinds.end()) continue;
    std::string text = name_text(entry);
    bool const readable = entry->type != GEN_IPADD || !text.empty();
    if (readable) found.push_back(std::move(text));
  }
  return found;
}

// As people compare digests.
std::string in_pairs(std::span<unsigned char const> bytes) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (unsigned char const byte : bytes) {
    if (!text.empty()) text += ':';
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

// Takes a certificate off the front of the bytes; null when there is none.
x509_ptr take_der(std::span<unsigned char const>& der) {
  if (der.size() > LONG_MAX) return nullptr;
  unsigned char const* rest = der.data();
  x509_ptr parsed(d2i_X509(nullptr, &rest, static_cast<long>(der.size())));
  if (parsed) der = der.subspan(static_cast<std::size_t>(rest - der.data()));
  return parsed;
}

std::vector<certificate> parse_der_chain(std::span<unsigned char const> der,
                                         std::string const& doing) {
  clear_openssl_errors();
  std::vector<certificate> found;
  do {
    x509_ptr const next = take_der(der);
    if (!next) throw_openssl_error(errc::no_certificate_found, doing);
    found.push_back(certificate::from_native(next.get()));
  } while (!der.empty());
  return found;
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
  clear_openssl_errors();
  x509_ptr parsed = take_der(der);
  if (!parsed || !der.empty()) {
    throw_openssl_error(errc::no_certificate_found, "reading a DER certificate");
  }
  return certificate(std::move(parsed));
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
  return names_of(handle_.get(), {GEN_DNS, GEN_IPADD});
}

std::vector<std::string> certificate::dns_names() const {
  return names_of(handle_.get(), {GEN_DNS});
}

std::vector<std::string> certificate::ip_names() const {
  return names_of(handle_.get(), {GEN_IPADD});
}

std::vector<std::string> certificate::uri_names() const {
  return names_of(handle_.get(), {GEN_URI});
}

std::vector<std::string> certificate::email_names() const {
  return names_of(handle_.get(), {GEN_EMAIL});
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
  return in_pairs({digest.data(), size});
}

// X509_pubkey_digest leaves the algorithm out, and a key that OpenSSL cannot read has one, too.
std::string certificate::public_key_fingerprint() const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  clear_openssl_errors();
  unsigned char* written = nullptr;
  int const length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(handle_.get()), &written);
  openssl_memory_ptr const key(written);
  if (length < 0 || EVP_Digest(key.get(), static_cast<std::size_t>(length), digest.data(), &size,
                               EVP_sha256(), nullptr) != 1) {
    throw_openssl_error({}, "digesting a public key");
  }
  return in_pairs({digest.data(), size});
}

std::optional<std::vector<unsigned char>> certificate::extension(std::string_view oid) const {
  asn1_object_ptr const wanted(OBJ_txt2obj(std::string(oid).c_str(), 1));
  clear_openssl_errors();   // of a text that is no object identifier
  if (!wanted) return std::nullopt;
  int const at = X509_get_ext_by_OBJ(handle_.get(), wanted.get(), -1);
  // RFC 5280 section 4.2: "A certificate MUST NOT include more than one instance of a particular
  // extension." Which of two counts is not ours to say.
  if (at < 0 || X509_get_ext_by_OBJ(handle_.get(), wanted.get(), at) >= 0) return std::nullopt;
  ASN1_OCTET_STRING const* const value =
      X509_EXTENSION_get_data(X509_get_ext(handle_.get(), at));
  unsigned char const* const data = ASN1_STRING_get0_data(value);
  return std::vector<unsigned char>(data, data + ASN1_STRING_length(value));
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

certificate_chain certificate_chain::from_der(std::span<unsigned char const> der) {
  return certificate_chain(parse_der_chain(der, "reading a DER certificate chain"));
}

certificate_chain certificate_chain::from_der_file(std::filesystem::path const& path) {
  std::string const doing = "loading the certificate " + path.string();
  file_contents const contents(path, doing);
  std::string_view const der = contents.view();
  return certificate_chain(
      parse_der_chain({reinterpret_cast<unsigned char const*>(der.data()), der.size()}, doing));
}

certificate_chain::certificate_chain(std::vector<certificate> certificates)
    : certificates_(std::make_shared<std::vector<certificate> const>(std::move(certificates))) {
  if (certificates_->empty()) throw error(errc::no_certificate_found);
}

}  // namespace cotls
