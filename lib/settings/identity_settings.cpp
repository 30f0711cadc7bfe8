#include "settings/identity_settings.hpp"

#include "error/fail.hpp"
#include "identity/chain_key.hpp"
#include "openssl/openssl_error.hpp"

#include <openssl/ssl.h>

#include <algorithm>

namespace cotls::detail {

namespace {

// False as soon as OpenSSL refuses one.
bool install(SSL_CTX* context, certificate_chain const* chain, private_key const* key) {
  if (chain) {
    auto const& certificates = chain->certificates();
    if (SSL_CTX_use_certificate(context, certificates.front().native_handle()) != 1) return false;
    if (SSL_CTX_clear_chain_certs(context) != 1) return false;
    for (auto issuer = certificates.begin() + 1; issuer != certificates.end(); ++issuer) {
      if (SSL_CTX_add1_chain_cert(context, issuer->native_handle()) != 1) return false;
    }
  }
  return !key || SSL_CTX_use_PrivateKey(context, key->native_handle()) == 1;
}

void try_on(SSL_CTX* context, certificate_chain const* chain, private_key const* key,
            std::string const& doing) {
  clear_openssl_errors();
  if (!install(context, chain, key)) throw_openssl_error({}, doing);
}

bool same(certificate const& left, certificate const& right) noexcept {
  return X509_cmp(left.native_handle(), right.native_handle()) == 0;
}

}  // namespace

void identity_settings::use(certificate_chain const& chain, SSL_CTX* beneath, SSL_CTX* trial,
                            std::string const& doing) {
  EVP_PKEY* const present = key(beneath);
  if (present && !leaf(beneath)) check_key_of(chain, present, doing);
  bool const key_stays = present && belongs_to(present, chain.leaf().native_handle());
  try_on(trial, &chain, nullptr, doing);
  chain_ = chain;
  if (!key_stays) key_.reset();   // it was the old chain's
}

void identity_settings::use(private_key const& key, SSL_CTX* beneath, SSL_CTX* trial,
                            std::string const& doing) {
  if (chain_) check_key_of(*chain_, key.native_handle(), doing);
  else if (leaf(beneath)) check_key_of(leaf(beneath), key.native_handle(), doing);
  try_on(trial, nullptr, &key, doing);
  key_ = key;
}

void identity_settings::use(identity const& both, SSL_CTX* trial, std::string const& doing) {
  try_on(trial, &both.chain(), &both.key(), doing);
  chain_ = both.chain();
  key_ = both.key();
}

void identity_settings::check_complete(role end, SSL_CTX* beneath) const {
  X509* const shown = leaf(beneath);
  EVP_PKEY* const used = key(beneath);
  if (end == role::client && !shown && !used) return;
  if (shown && used && belongs_to(used, shown)) return;
  fail(errc::no_certificate, end == role::client ? "using the client's certificate"
                                                 : "using the server's context");
}

void identity_settings::apply_to(SSL_CTX* context) const {
  try_on(context, chain_ ? &*chain_ : nullptr, key_ ? &*key_ : nullptr,
         "using the certificate chain and its key");
}

bool identity_settings::operator==(identity_settings const& other) const noexcept {
  if (chain_.has_value() != other.chain_.has_value()) return false;
  if (key_.has_value() != other.key_.has_value()) return false;
  if (key_ && EVP_PKEY_eq(key_->native_handle(), other.key_->native_handle()) != 1) return false;
  if (!chain_) return true;
  auto const& ours = chain_->certificates();
  auto const& theirs = other.chain_->certificates();
  return std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end(), same);
}

X509* identity_settings::leaf(SSL_CTX* beneath) const noexcept {
  return chain_ ? chain_->leaf().native_handle() : SSL_CTX_get0_certificate(beneath);
}

EVP_PKEY* identity_settings::key(SSL_CTX* beneath) const noexcept {
  return key_ ? key_->native_handle() : SSL_CTX_get0_privatekey(beneath);
}

}  // namespace cotls::detail
