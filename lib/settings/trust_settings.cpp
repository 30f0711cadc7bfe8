#include "settings/trust_settings.hpp"

#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"
#include "trust/revocation.hpp"

#include <openssl/ssl.h>

#include <algorithm>

namespace cotls::detail {

namespace {

void add_directory(SSL_CTX* to, std::filesystem::path const& path, bool has_lists) {
  clear_openssl_errors();
  if (SSL_CTX_load_verify_dir(to, path.string().c_str()) != 1) {
    throw_openssl_error({}, "using the directory of roots " + path.string());
  }
  X509_STORE* const store = SSL_CTX_get_cert_store(to);
  heed_revocation_lists(store);
  if (has_lists) require_revocation_lists(store);
}

void add_root(SSL_CTX* to, X509* root) {
  clear_openssl_errors();
  if (X509_STORE_add_cert(SSL_CTX_get_cert_store(to), root) == 1) return;
  throw_openssl_error({}, "adding a root");
}

}  // namespace

void trust_settings::load(std::filesystem::path const& file,
                          std::filesystem::path const& directory) {
  if (file.empty() && directory.empty()) {
    fail(errc::no_certificate_found, "loading roots from no file and no directory");
  }
  std::vector<source> found;
  if (!file.empty()) {
    found.emplace_back(std::make_shared<authorities const>(
        authorities::from_file(file, "loading the roots " + file.string())));
  }
  if (!directory.empty()) {
    check_directory(directory, "using the directory of roots " + directory.string());
    found.emplace_back(hashed_directory{directory, has_revocation_lists(directory)});
  }
  sources_.insert(sources_.end(), found.begin(), found.end());
}

void trust_settings::add(std::string_view text) {
  sources_.emplace_back(
      std::make_shared<authorities const>(authorities::from_pem(text, "adding roots")));
}

bool trust_settings::is_roots(source const& one) noexcept {
  pem const* const read = std::get_if<pem>(&one);
  return !read || (*read)->has_certificates();
}

bool trust_settings::has_roots() const noexcept {
  return std::any_of(sources_.begin(), sources_.end(), is_roots);
}

void trust_settings::apply_to(SSL_CTX* context, trust_settings const& applied) const {
  if (revocation_.set_since(applied.revocation_)) {
    set_revocation_policy(SSL_CTX_get_cert_store(context), revocation_.value());
  }
  for (std::size_t i = applied.sources_.size(); i < sources_.size(); ++i) {
    if (auto const* const read = std::get_if<pem>(&sources_[i])) {
      (*read)->add_to(SSL_CTX_get_cert_store(context), "adding roots");
    } else if (auto const* const root = std::get_if<one_root>(&sources_[i])) {
      add_root(context, root->certificate.native_handle());
    } else {
      auto const& directory = std::get<hashed_directory>(sources_[i]);
      add_directory(context, directory.path, directory.has_lists);
    }
  }
}

bool trust_settings::one_root::operator==(one_root const& other) const noexcept {
  return X509_cmp(certificate.native_handle(), other.certificate.native_handle()) == 0;
}

}  // namespace cotls::detail
