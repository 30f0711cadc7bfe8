// The reading of hosts:
//
//   has a colon           -> an IPv6 literal, with a zone behind `%` or without
//   ends with a number    -> four decimal numbers
//   else                  -> a DNS name
//
// The middle line is what getaddrinfo, browsers and certificates disagree about: a name whose last
// label looks like a number may be read as an address by the one and as a name by the other.

#include "identity/host_name.hpp"

#include <cotls/error.hpp>

#include <openssl/x509v3.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace cotls::detail {

namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t max_name = 253;   // RFC 1035 section 2.3.4, without the final dot
constexpr std::size_t max_label = 63;

// RFC 9525 section 2: an identity in the subject's common name does not count.
constexpr unsigned name_rules =
    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;

bool is_digit(char each) noexcept { return each >= '0' && each <= '9'; }

bool is_hex_digit(char each) noexcept {
  return is_digit(each) || (each >= 'a' && each <= 'f') || (each >= 'A' && each <= 'F');
}

bool is_letter(char each) noexcept {
  return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z');
}

bool all_of(std::string_view text, bool (*holds)(char)) {
  return !text.empty() && std::all_of(text.begin(), text.end(), holds);
}

// RFC 5890 section 2.3.1, and the underscore, which names inside of organisations often have.
bool is_label(std::string_view label) {
  auto const allowed = [](char each) {
    return is_letter(each) || is_digit(each) || each == '-' || each == '_';
  };
  return label.size() <= max_label && all_of(label, allowed) && label.front() != '-' &&
         label.back() != '-';
}

bool is_name(std::string_view text) {
  if (text.size() > max_name) return false;
  for (;;) {
    std::size_t const dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

// Whether a resolver might take it for an address: inet_aton reads decimal, octal and hexadecimal
// numbers, and from one to four of them.
bool ends_with_number(std::string_view text) {
  std::string_view const last = text.substr(text.rfind('.') + 1);
  if (all_of(last, is_digit)) return true;
  bool const hexadecimal = last.starts_with("0x") || last.starts_with("0X");
  return hexadecimal && (last.size() == 2 || all_of(last.substr(2), is_hex_digit));
}

std::optional<ip::address> parse_v4(std::string_view text) {
  ip::address_v4::bytes_type bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::size_t const dot = text.find('.');
    std::string_view const number = text.substr(0, dot);
    bool const last = i + 1 == bytes.size();
    if (last != (dot == std::string_view::npos) || !all_of(number, is_digit)) return std::nullopt;
    if (number.size() > 1 && number.front() == '0') return std::nullopt;   // octal to some
    auto const [end, failed] = std::from_chars(number.data(), number.data() + number.size(),
                                               bytes[i]);
    if (failed != std::errc()) return std::nullopt;
    if (!last) text.remove_prefix(dot + 1);
  }
  return ip::address_v4(bytes);
}

// A zone is the system's name or number of an interface (RFC 4007 section 11).
bool is_zone(std::string_view text) {
  return all_of(text, [](char each) { return each > ' ' && each < 127 && each != '%'; });
}

std::optional<ip::address> parse_v6(std::string_view text) {
  auto const allowed = [](char each) { return is_hex_digit(each) || each == ':' || each == '.'; };
  std::size_t const percent = text.find('%');
  bool const zoned = percent != std::string_view::npos;
  if (!all_of(text.substr(0, percent), allowed)) return std::nullopt;
  if (zoned && !is_zone(text.substr(percent + 1))) return std::nullopt;
  boost::system::error_code failed;
  auto const address = ip::make_address_v6(std::string(text), failed);
  if (failed) return std::nullopt;
  return address;
}

[[noreturn]] void refuse_name(std::string remark) {
  failure known;
  known.remark = std::move(remark);
  throw error(errc::invalid_host_name, std::move(known));
}

// RFC 9525 section 6.3: a U-label is converted to an A-label before it is compared. Which one is
// meant is the affair of whoever has the text: IDNA 2003 and 2008 differ.
std::string remark_on(std::string_view text) {
  auto const beyond_ascii = [](char each) { return static_cast<unsigned char>(each) > 127; };
  if (std::none_of(text.begin(), text.end(), beyond_ascii)) return {};
  return "a name beyond ASCII is given as its A-label, which begins with \"xn--\"";
}

}  // namespace

std::optional<host_name> host_name::parse(std::string_view text) {
  host_name read;
  if (text.find(':') != std::string_view::npos) {
    read.address_ = parse_v6(text);
    read.has_zone_ = text.find('%') != std::string_view::npos;
  } else if (ends_with_number(text)) {
    read.address_ = parse_v4(text);
  } else {
    if (text.ends_with('.')) text.remove_suffix(1);
    if (ends_with_number(text) || !is_name(text)) return std::nullopt;
    read.name_ = text;
  }
  if (!read.address_ && read.name_.empty()) return std::nullopt;
  return read;
}

host_name::host_name(std::string_view text) {
  std::optional<host_name> read = parse(text);
  if (!read) refuse_name(remark_on(text));   // fails closed
  *this = std::move(*read);
}

bool host_name::is_named_by(X509* certificate) const {
  if (address_) {
    std::string const octets = octets_of(*address_);
    return X509_check_ip(certificate, reinterpret_cast<unsigned char const*>(octets.data()),
                         octets.size(), name_rules) == 1;
  }
  return X509_check_host(certificate, name_.data(), name_.size(), name_rules, nullptr) == 1;
}

bool host_name::require_in(X509_VERIFY_PARAM* verification) const {
  X509_VERIFY_PARAM_set_hostflags(verification, name_rules);
  if (address_) {
    std::string const octets = octets_of(*address_);
    return X509_VERIFY_PARAM_set1_ip(verification,
                                     reinterpret_cast<unsigned char const*>(octets.data()),
                                     octets.size()) == 1;
  }
  return X509_VERIFY_PARAM_set1_host(verification, name_.data(), name_.size()) == 1;
}

void host_name::check_beside(host_name const& other) const {
  if (!address_ && !other.address_) return;
  refuse_name(
      "an address cannot be accepted instead of another host, nor a name instead of an address");
}

bool host_name::also_accept(host_name const& other, X509_VERIFY_PARAM* verification) const {
  check_beside(other);
  return X509_VERIFY_PARAM_add1_host(verification, other.name_.data(), other.name_.size()) == 1;
}

// RFC 4007 section 11.2: a zone "is only meaningful within the node", and no certificate has one.
std::string octets_of(ip::address const& address) {
  auto const text = [](auto const& bytes) { return std::string(bytes.begin(), bytes.end()); };
  return address.is_v4() ? text(address.to_v4().to_bytes()) : text(address.to_v6().to_bytes());
}

}  // namespace cotls::detail
