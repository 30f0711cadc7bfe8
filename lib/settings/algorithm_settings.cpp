#include "settings/algorithm_settings.hpp"

#include "openssl/openssl_error.hpp"
#include "openssl/trial_context.hpp"
#include "settings/cipher_list.hpp"

#include <openssl/ssl.h>

#include <utility>

namespace cotls::detail {

namespace {

void apply_groups(std::string const& groups, SSL_CTX* to) {
  clear_openssl_errors();
  if (SSL_CTX_set1_groups_list(to, groups.c_str()) == 1) return;
  throw_openssl_error(errc::invalid_setting, "setting the groups \"" + groups + '"');
}

}  // namespace

void algorithm_settings::set_ciphers(std::string const& tls12, std::string const& tls13,
                                     SSL_CTX* beneath) {
  check_cipher_lists(beneath, tls12, tls13);
  algorithm_settings next = *this;
  if (!tls12.empty()) next.tls12_.set(tls12);
  if (!tls13.empty()) next.tls13_.set(tls13);
  *this = std::move(next);
}

void algorithm_settings::set_groups(std::string const& groups, SSL_CTX* beneath) {
  apply_groups(groups, make_trial_context(beneath).get());
  groups_.set(groups);
}

void algorithm_settings::apply_to(SSL_CTX* context, algorithm_settings const& applied) const {
  std::string const none;
  apply_cipher_lists(context, tls12_.set_since(applied.tls12_) ? tls12_.value() : none,
                     tls13_.set_since(applied.tls13_) ? tls13_.value() : none);
  if (groups_.set_since(applied.groups_)) apply_groups(groups_.value(), context);
}

}  // namespace cotls::detail
