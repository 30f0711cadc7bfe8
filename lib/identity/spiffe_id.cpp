// SPIFFE: who a workload is, as a URI in its certificate.
//
//   spiffe://example.org/billing/payments
//            ----------- ----------------
//            trust domain      path

#include <cotls/certificate.hpp>

#include "openssl/openssl_ptr.hpp"

#include <algorithm>

namespace cotls {

namespace {

constexpr std::string_view scheme = "spiffe://";
constexpr std::size_t max_id = 2048;      // SPIFFE-ID section 2.3
constexpr std::size_t max_domain = 255;

bool is_one_of(char each, std::string_view marks) noexcept {
  return marks.find(each) != std::string_view::npos;
}

bool is_small(char each) noexcept {
  return (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') || is_one_of(each, ".-_");
}

bool is_domain(std::string_view text) {
  return !text.empty() && text.size() <= max_domain &&
         std::all_of(text.begin(), text.end(), is_small);
}

bool is_segment(std::string_view text) {
  auto const allowed = [](char each) { return is_small(each) || (each >= 'A' && each <= 'Z'); };
  return !text.empty() && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), allowed);
}

// Empty, or segments behind a slash each.
bool is_path(std::string_view text) {
  while (!text.empty()) {
    text.remove_prefix(1);
    std::size_t const end = std::min(text.find('/'), text.size());
    if (!is_segment(text.substr(0, end))) return false;
    text.remove_prefix(end);
  }
  return true;
}

struct spiffe_id {
  std::string_view domain;
  std::string_view path;
};

// The scheme is read as it is always written; otherwise two spellings would be one workload's.
spiffe_id parts_of(std::string_view id) {
  id.remove_prefix(scheme.size());
  std::size_t const end = std::min(id.find('/'), id.size());
  return {id.substr(0, end), id.substr(end)};
}

bool is_spiffe_id(std::string_view text) {
  if (text.size() > max_id || !text.starts_with(scheme)) return false;
  auto const [domain, path] = parts_of(text);
  return is_domain(domain) && is_path(path);
}

// X509-SVID section 5.2: "the validator MUST ensure that the `CA` field in the basic constraints
// extension is set to `false`, and that `keyCertSign` and `cRLSign` are not set in the key usage
// extension." (X509_check_ca wants both of an authority.) Without the latter extension OpenSSL says
// that all is allowed: that fails closed.
bool may_sign_others(X509* certificate) {
  return (X509_get_extension_flags(certificate) & EXFLAG_CA) != 0 ||
         (X509_get_key_usage(certificate) & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0;
}

}  // namespace

std::string certificate::spiffe_id() const {
  std::vector<std::string> const names = uri_names();
  return names.size() == 1 && is_spiffe_id(names.front()) ? names.front() : std::string();
}

bool certificate::in_trust_domain(std::string_view domain) const {
  std::string const id = spiffe_id();
  if (id.empty() || may_sign_others(handle_.get())) return false;
  auto const [own, path] = parts_of(id);
  return own == domain && !path.empty();
}

}  // namespace cotls
