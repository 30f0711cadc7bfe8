#include "settings/identity_settings.hpp"

#include "error/fail.hpp"
#include "identity/chain_key.hpp"
#include "openssl/library.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"
#include "openssl/trial_context.hpp"
#include "settings/identity_choice.hpp"
#include "signing/signer_key.hpp"

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <memory>

namespace cotls::detail {

namespace {

constexpr char applying[] = "using the certificate chain and its key";

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

// A context takes any key, and only a handshake would find that its library cannot sign with it: of
// what FIPS does not allow, and of one that signs elsewhere, which is OpenSSL's own nowhere.
void check_usable(SSL_CTX* context, private_key const& key, std::string const& doing) {
  library_options const& from = library_of(context);
  if (is_default(from) && !is_signer_key(key.native_handle())) return;
  using md_ctx_ptr = std::unique_ptr<EVP_MD_CTX, openssl_deleter<EVP_MD_CTX_free>>;
  clear_openssl_errors();
  md_ctx_ptr const trial(EVP_MD_CTX_new());
  if (trial && EVP_DigestSignInit_ex(trial.get(), nullptr, nullptr, from.library(), query_of(from),
                                     key.native_handle(), nullptr) == 1) {
    return;
  }
  throw_openssl_error(errc::invalid_setting, doing + " (" + key.kind() + ')');
}

void try_on(SSL_CTX* context, certificate_chain const* chain, private_key const* key,
            std::string const& doing) {
  clear_openssl_errors();
  if (!install(context, chain, key)) throw_openssl_error({}, doing);
  if (key) check_usable(context, *key, doing);
}

bool same(certificate const& left, certificate const& right) noexcept {
  return X509_cmp(left.native_handle(), right.native_handle()) == 0;
}

bool same(certificate_chain const& left, certificate_chain const& right) noexcept {
  auto const& ours = left.certificates();
  auto const& theirs = right.certificates();
  return std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end(),
                    [](auto const& one, auto const& other) { return same(one, other); });
}

// Of keys that sign elsewhere OpenSSL compares the public parts, and not who signs.
bool same(private_key const& left, private_key const& right) noexcept {
  EVP_PKEY const* const one = left.native_handle();
  EVP_PKEY const* const other = right.native_handle();
  if (is_signer_key(one) || is_signer_key(other)) return one == other;
  return EVP_PKEY_eq(one, other) == 1;
}

bool same(identity const& left, identity const& right) noexcept {
  return same(left.chain(), right.chain()) && same(left.key(), right.key());
}

template <class Value>
bool same(std::optional<Value> const& left, std::optional<Value> const& right) noexcept {
  return left.has_value() == right.has_value() && (!left || same(*left, *right));
}

// OpenSSL has one place for all curves of EC.
bool same_type(EVP_PKEY const* left, EVP_PKEY const* right) noexcept {
  char const* const type = EVP_PKEY_get0_type_name(right);
  return left && type && EVP_PKEY_is_a(left, type) == 1;
}

using time_point = std::chrono::system_clock::time_point;

void take_earlier(std::optional<time_point>& first, time_point next) {
  if (!first || next < *first) first = next;
}

void take_earlier(std::optional<time_point>& first, certificate_chain const& chain) {
  for (certificate const& each : chain.certificates()) take_earlier(first, each.not_after());
}

// What a context shows by default that was given its certificates by somebody else.
void take_earlier(std::optional<time_point>& first, SSL_CTX* beneath) {
  X509* const leaf = SSL_CTX_get0_certificate(beneath);
  if (!leaf) return;
  take_earlier(first, certificate::from_native(leaf).not_after());
  STACK_OF(X509)* issuers = nullptr;
  SSL_CTX_get0_chain_certs(beneath, &issuers);
  for (int i = 0; i < sk_X509_num(issuers); ++i) {
    take_earlier(first, certificate::from_native(sk_X509_value(issuers, i)).not_after());
  }
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
  beside_.clear();
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
  beside_.clear();
}

void identity_settings::add(identity const& another, role end, SSL_CTX* trial,
                            std::string const& doing) {
  try_on(trial, &another.chain(), &another.key(), doing);
  if (end == role::server && replaces_first(another)) {
    chain_ = another.chain();
    key_ = another.key();
    return;
  }
  beside_.reserve(beside_.size() + 1);   // what may throw comes first
  if (end == role::server) {
    std::erase_if(beside_, [&](identity const& each) {
      return same_type(each.key().native_handle(), another.key().native_handle());
    });
  }
  beside_.push_back(another);
}

void identity_settings::check_complete(role end, SSL_CTX* beneath) const {
  X509* const shown = leaf(beneath);
  EVP_PKEY* const used = key(beneath);
  if (!shown && !used && (end == role::client || !beside_.empty())) return;
  if (shown && used && belongs_to(used, shown)) return;
  fail(errc::no_certificate, end == role::client ? "using the client's certificate"
                                                 : "using the server's context");
}

void identity_settings::apply_to(SSL_CTX* context, role end) const {
  // One that is refused, as by a security level that was raised since, must neither leave the
  // others behind in a context that is mended nor be met by a handshake.
  if (!beside_.empty()) install_on(make_trial_context(context).get());
  if (end == role::server) return install_on(context);
  std::vector<identity> several = all();
  bool const is_choice = several.size() > 1;
  if (!is_choice) several.clear();
  identity_choice::install(context, several);
  if (!is_choice) return install_on(context);
  bool const half = chain_.has_value() != key_.has_value();   // the other is an adopted context's
  if (half) install_first_on(context);
}

std::optional<time_point> identity_settings::expires(SSL_CTX* beneath) const {
  std::optional<time_point> first;
  if (chain_) take_earlier(first, *chain_);
  else take_earlier(first, beneath);
  for (identity const& each : beside_) take_earlier(first, each.chain());
  return first;
}

std::array<unsigned char, 32> identity_settings::digest(SSL_CTX* beneath) const {
  std::array<unsigned char, 32> digest{};
  std::vector<X509*> shown;
  if (X509* const first = leaf(beneath)) shown.push_back(first);
  for (identity const& each : beside_) shown.push_back(each.chain().leaf().native_handle());
  std::vector<unsigned char> all;
  bool made = true;
  clear_openssl_errors();
  for (X509* const each : shown) {
    all.resize(all.size() + digest.size());
    unsigned char* const end = all.data() + all.size();
    made &= X509_digest(each, EVP_sha256(), end - digest.size(), nullptr) == 1;
  }
  if (all.empty()) return digest;
  made &= EVP_Digest(all.data(), all.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1;
  if (!made) throw_openssl_error({}, "digesting certificates");
  return digest;
}

bool identity_settings::operator==(identity_settings const& other) const noexcept {
  return same(chain_, other.chain_) && same(key_, other.key_) &&
         std::equal(beside_.begin(), beside_.end(), other.beside_.begin(), other.beside_.end(),
                    [](auto const& ours, auto const& theirs) { return same(ours, theirs); });
}

bool identity_settings::may_wait() const noexcept {
  return (key_ && waits_for_signer(key_->native_handle())) ||
         std::any_of(beside_.begin(), beside_.end(), [](identity const& each) {
           return waits_for_signer(each.key().native_handle());
         });
}

X509* identity_settings::leaf(SSL_CTX* beneath) const noexcept {
  return chain_ ? chain_->leaf().native_handle() : SSL_CTX_get0_certificate(beneath);
}

EVP_PKEY* identity_settings::key(SSL_CTX* beneath) const noexcept {
  return key_ ? key_->native_handle() : SSL_CTX_get0_privatekey(beneath);
}

// Half of an identity gives way to a whole one, too.
bool identity_settings::replaces_first(identity const& another) const {
  EVP_PKEY const* const type = another.key().native_handle();
  if (key_) return same_type(key_->native_handle(), type);
  return chain_ && same_type(X509_get0_pubkey(chain_->leaf().native_handle()), type);
}

std::vector<identity> identity_settings::all() const {
  std::vector<identity> found;
  if (chain_ && key_) found.emplace_back(*chain_, *key_);
  found.insert(found.end(), beside_.begin(), beside_.end());
  return found;
}

// The first one comes last: OpenSSL takes what was given last for the one that is shown by default.
void identity_settings::install_on(SSL_CTX* context) const {
  for (identity const& each : beside_) try_on(context, &each.chain(), &each.key(), applying);
  install_first_on(context);
}

void identity_settings::install_first_on(SSL_CTX* context) const {
  try_on(context, chain_ ? &*chain_ : nullptr, key_ ? &*key_ : nullptr, applying);
}

}  // namespace cotls::detail
