// The JA4 fingerprint (FoxIO, technical_details/JA4.md, "JA4: TLS Client Fingerprinting"):
//
//   t13d1516h2_8daaf6152771_e5627efa2ab1
//   |||| | |   |            +-- digest of the sorted extensions and of the signature algorithms
//   |||| | |   +--------------- digest of the sorted suites
//   |||| | +-- the first ALPN protocol's first and last character
//   |||| +---- how many extensions     all of it without GREASE (RFC 8701), which is chance
//   |||+------ how many suites
//   ||+------- d: a name is asked for, i: none is
//   |+-------- the latest version
//   +--------- over TCP

#include <cotls/client_hello.hpp>

#include "openssl/openssl_error.hpp"

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>

namespace cotls {

namespace {

using numbers = std::vector<std::uint16_t>;

// RFC 8701 section 2: 0x0a0a, 0x1a1a, and so on up to 0xfafa.
bool is_grease(std::uint16_t value) noexcept {
  return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

numbers without_grease(numbers list) {
  std::erase_if(list, is_grease);
  return list;
}

void append_hex(std::string& to, unsigned value, int digits) {
  while (digits-- > 0) to += "0123456789abcdef"[value >> 4 * digits & 0xf];
}

std::string hex_list(numbers const& list) {
  std::string text;
  for (std::uint16_t const each : list) {
    if (!text.empty()) text += ',';
    append_hex(text, each, 4);
  }
  return text;
}

// Twelve digits of a list's SHA-256; of none, zeros.
std::string short_digest(std::string const& list) {
  if (list.empty()) return "000000000000";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  detail::clear_openssl_errors();
  if (EVP_Digest(list.data(), list.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    detail::throw_openssl_error({}, "computing a fingerprint");
  }
  std::string text;
  for (std::size_t i = 0; i < 6; ++i) append_hex(text, digest[i], 2);
  return text;
}

std::string_view version_text(numbers const& versions) noexcept {
  switch (versions.empty() ? 0 : *std::max_element(versions.begin(), versions.end())) {
    case TLS1_3_VERSION: return "13";
    case TLS1_2_VERSION: return "12";
    case TLS1_1_VERSION: return "11";
    case TLS1_VERSION: return "10";
    case 0x0300: return "s3";   // SSL 3.0 and 2.0, of which newer OpenSSLs know nothing
    case 0x0002: return "s2";
    default: return "00";
  }
}

std::string count_text(std::size_t count) {
  std::string const digits = std::to_string(std::min<std::size_t>(count, 99));
  return digits.size() < 2 ? '0' + digits : digits;
}

bool is_alphanumeric(char each) noexcept {
  return (each >= '0' && each <= '9') || (each >= 'A' && each <= 'Z') ||
         (each >= 'a' && each <= 'z');
}

std::string alpn_text(std::vector<std::string> const& protocols) {
  if (protocols.empty() || protocols.front().empty()) return "00";
  std::string const& name = protocols.front();
  if (is_alphanumeric(name.front()) && is_alphanumeric(name.back())) {
    return {name.front(), name.back()};
  }
  std::string hex;
  for (char const each : name) append_hex(hex, static_cast<unsigned char>(each), 2);
  return {hex.front(), hex.back()};
}

bool has(numbers const& list, std::uint16_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

std::string client_hello::ja4() const {
  numbers suites = without_grease(cipher_suites);
  numbers types = without_grease(extensions);
  std::string text = "t";
  text += version_text(without_grease(versions));
  text += has(types, TLSEXT_TYPE_server_name) ? 'd' : 'i';
  text += count_text(suites.size()) + count_text(types.size()) + alpn_text(alpn);

  std::sort(suites.begin(), suites.end());
  text += '_' + short_digest(hex_list(suites));

  std::erase(types, TLSEXT_TYPE_server_name);
  std::erase(types, TLSEXT_TYPE_application_layer_protocol_negotiation);
  std::sort(types.begin(), types.end());
  std::string list = hex_list(types);
  numbers const algorithms = without_grease(signature_algorithms);
  if (!list.empty() && !algorithms.empty()) list += '_' + hex_list(algorithms);
  return text + '_' + short_digest(list);
}

}  // namespace cotls
