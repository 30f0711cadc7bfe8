// PKCS #12 (RFC 7292): a key, its certificate and others in one file, in no order, under a password
// that may be none.

#include <cotls/identity.hpp>

#include "error/fail.hpp"
#include "identity/key_kind.hpp"
#include "identity/password_source.hpp"
#include "identity/pem_input.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"

#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include <algorithm>
#include <climits>
#include <optional>
#include <utility>

namespace cotls {

namespace {

using namespace detail;

struct contents {
  pkey_ptr key;
  x509_ptr leaf;
  x509_stack_ptr others;
};

pkcs12_ptr parse(std::string_view data, std::string const& doing) {
  clear_openssl_errors();
  auto const* const bytes = reinterpret_cast<unsigned char const*>(data.data());
  unsigned char const* rest = bytes;
  pkcs12_ptr parsed;
  if (data.size() <= LONG_MAX) {
    parsed.reset(d2i_PKCS12(nullptr, &rest, static_cast<long>(data.size())));
  }
  if (parsed && rest == bytes + data.size()) return parsed;
  throw_openssl_error(errc::no_private_key_found, doing);
}

bool is_unsupported(openssl_error const& taken) noexcept {
  int const reason = ERR_GET_REASON(taken.code);
  return reason == ERR_R_UNSUPPORTED ||
         (ERR_GET_LIB(taken.code) == ERR_LIB_EVP && reason == EVP_R_UNSUPPORTED_ALGORITHM);
}

// A PKCS #12 file that is being opened.
class locked_file {
 public:
  locked_file(pkcs12_ptr file, std::string const& doing)
      : file_(std::move(file)), has_digest_(PKCS12_mac_present(file_.get()) == 1), doing_(doing) {}

  contents open(key_options const& options) {
    if (auto found = try_password(nullptr)) return std::move(*found);
    if (!is_wrong_password()) refuse();
    password_source password(options);
    std::string const& secret = password.value(doing_);
    // OpenSSL would take what is before the zero for all of it.
    if (secret.find('\0') != std::string::npos) fail(errc::wrong_password, doing_);
    if (auto found = try_password(secret.c_str())) return std::move(*found);
    refuse();
  }

 private:
  std::optional<contents> try_password(char const* password) {
    clear_openssl_errors();
    EVP_PKEY* key = nullptr;
    X509* leaf = nullptr;
    STACK_OF(X509)* others = nullptr;
    bool const opened = supply_digest(password) &&
                        PKCS12_parse(file_.get(), password, &key, &leaf, &others) == 1;
    contents found{pkey_ptr(key), x509_ptr(leaf), x509_stack_ptr(others)};
    if (opened) return found;
    why_ = take_openssl_error();
    return std::nullopt;
  }

  // The digest by which a password is known (MAC) may be left out (RFC 7292 section 4); some
  // versions of OpenSSL, 3.0 among them, then take no password for the right one.
  bool supply_digest(char const* password) {
    return has_digest_ || PKCS12_set_mac(file_.get(), password, -1, nullptr, 0, 1, nullptr) == 1;
  }

  // Without a digest, what was decrypted to nonsense cannot be told from what is damaged.
  bool is_wrong_password() const noexcept {
    if (is_unsupported(why_)) return false;
    return !has_digest_ || (ERR_GET_LIB(why_.code) == ERR_LIB_PKCS12 &&
                            ERR_GET_REASON(why_.code) == PKCS12_R_MAC_VERIFY_FAILURE);
  }

  [[noreturn]] void refuse() {
    if (is_unsupported(why_)) {
      throw_openssl_error(
          {}, doing_ + ", which needs an algorithm of OpenSSL's provider \"legacy\" perhaps,",
          std::move(why_));
    }
    errc const reason = is_wrong_password() ? errc::wrong_password : errc::no_private_key_found;
    throw_openssl_error(reason, doing_, std::move(why_));
  }

  pkcs12_ptr file_;
  bool has_digest_;
  std::string const& doing_;
  openssl_error why_;
};

bool is_root(X509* certificate) { return X509_self_signed(certificate, 0) == 1; }

std::vector<certificate> chain_from(X509* leaf, STACK_OF(X509)* others) {
  std::vector<X509*> rest;
  for (int i = 0; i < sk_X509_num(others); ++i) rest.push_back(sk_X509_value(others, i));
  std::vector<certificate> chain{certificate::from_native(leaf)};
  for (;;) {
    X509* const last = chain.back().native_handle();
    auto const issuer = std::find_if(rest.begin(), rest.end(), [last](X509* each) {
      return X509_check_issued(each, last) == X509_V_OK;
    });
    if (issuer == rest.end() || is_root(*issuer)) return chain;
    chain.push_back(certificate::from_native(*issuer));
    rest.erase(issuer);   // two authorities may vouch for each other
  }
}

identity read(std::string_view data, key_options const& options, std::string const& doing) {
  contents const found = locked_file(parse(data, doing), doing).open(options);
  if (!found.key || (options.is_rsa_only() && !is_rsa(found.key.get()))) {
    fail(errc::no_private_key_found, doing);
  }
  if (!found.leaf) fail(errc::no_certificate_found, doing);
  return identity(certificate_chain(chain_from(found.leaf.get(), found.others.get())),
                  private_key::from_native(found.key.get()));
}

}  // namespace

identity identity::from_pkcs12(std::string_view data, key_options const& options) {
  return read(data, options, "reading a PKCS #12 identity");
}

identity identity::from_pkcs12_file(std::filesystem::path const& path,
                                    key_options const& options) {
  std::string const doing = "loading the identity " + path.string();
  file_contents const file(path, doing);
  return read(file.view(), options, doing);
}

}  // namespace cotls
