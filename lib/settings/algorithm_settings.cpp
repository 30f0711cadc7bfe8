#include "settings/algorithm_settings.hpp"

#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/trial_context.hpp"
#include "settings/cipher_list.hpp"
#include "settings/name_list.hpp"
#include "settings/policy_contents.hpp"
#include "settings/version_range.hpp"

#include <openssl/ssl.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace cotls::detail {

namespace {

// For what was tried before on a trial context.
void require(bool taken, std::string const& doing) {
  if (!taken) throw_openssl_error(errc::invalid_setting, doing);
}

void apply_versions(version_range const& versions, SSL_CTX* to) {
  clear_openssl_errors();
  require(SSL_CTX_set_min_proto_version(to, openssl_number(versions.lowest)) == 1 &&
              SSL_CTX_set_max_proto_version(to, openssl_number(versions.highest)) == 1,
          "setting the versions " + to_string(versions));
}

void apply_groups(std::string const& groups, SSL_CTX* to) {
  clear_openssl_errors();
  require(SSL_CTX_set1_groups_list(to, groups.c_str()) == 1,
          "setting the groups \"" + groups + '"');
}

void apply_signatures(std::string const& list, SSL_CTX* to) {
  clear_openssl_errors();
  require(SSL_CTX_set1_sigalgs_list(to, list.c_str()) == 1,
          "setting the signature algorithms \"" + list + '"');
}

void apply_client_signatures(std::string const& list, SSL_CTX* to) {
  clear_openssl_errors();
  require(SSL_CTX_set1_client_sigalgs_list(to, list.c_str()) == 1,
          "setting the clients' signature algorithms \"" + list + '"');
}

void apply_order(suite_order whose, SSL_CTX* to) {
  constexpr std::uint64_t both = SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
  SSL_CTX_clear_options(to, both);
  switch (whose) {
    case suite_order::server_but_chacha: SSL_CTX_set_options(to, both); break;
    case suite_order::server: SSL_CTX_set_options(to, SSL_OP_CIPHER_SERVER_PREFERENCE); break;
    case suite_order::client: break;
  }
}

// The system may forbid the lowest version that a policy has.
version_range raised(version_range versions, SSL_CTX const* like) {
  ssl_ctx_ptr const fresh = make_trial_context(like);
  auto const system = static_cast<int>(SSL_CTX_get_min_proto_version(fresh.get()));
  while (versions.lowest < versions.highest && openssl_number(versions.lowest) < system) {
    versions.lowest = static_cast<protocol_version>(static_cast<int>(versions.lowest) + 1);
  }
  return versions;
}

}  // namespace

void algorithm_settings::set_ciphers(std::string const& tls12, std::string const& tls13,
                                     SSL_CTX* trial) {
  int const level = check_cipher_lists(trial, tls12, tls13);
  algorithm_settings next = *this;
  if (!tls12.empty()) next.tls12_.set(tls12);
  if (!tls13.empty()) next.tls13_.set(tls13);
  if (level != SSL_CTX_get_security_level(trial)) next.level_.set({level, -1});
  *this = std::move(next);
}

void algorithm_settings::set_groups(std::string const& groups, SSL_CTX* trial) {
  groups_.set(known_groups(trial, groups));
}

void algorithm_settings::set_signatures(std::string const& list, SSL_CTX* trial) {
  signatures_.set(known_signatures(trial, list));
}

void algorithm_settings::set_client_signatures(std::string const& list, SSL_CTX* trial) {
  client_signatures_.set(known_signatures(trial, list));
}

void algorithm_settings::set_versions(version_range const& versions) {
  check_versions(versions);
  versions_.set(versions);
}

void algorithm_settings::set_level(int level, SSL_CTX* trial) {
  if (level < 0 || level > 5) {
    fail(errc::invalid_setting, "set_security_level(" + std::to_string(level) + ')');
  }
  SSL_CTX_set_security_level(trial, level);
  check_selected_suites(trial);
  level_.set({level, -1});
}

void algorithm_settings::use(policy named, SSL_CTX* trial) {
  policy_contents const& says = contents_of(named);
  // Another policy may have lowered the level before.
  int const lowered = level_.value().certificates;
  int const usual =
      level_.is_set() && lowered >= 0 ? lowered : SSL_CTX_get_security_level(trial);
  algorithm_settings next = *this;
  next.versions_.set(says.below_the_system ? says.versions : raised(says.versions, trial));
  if (*says.tls12 != '\0') next.tls12_.set(says.tls12);
  next.tls13_.set(says.tls13);
  next.groups_.set(known_groups(trial, says.groups));
  next.order_.set(says.order);
  next.dh_auto_.set(says.finite_fields);
  next.level_.set(says.below_the_system ? security_level{0, usual} : security_level{usual, -1});
  *this = std::move(next);
}

void algorithm_settings::check(SSL_CTX* context) const {
  if (!versions_.is_set() || SSL_CTX_get_security_level(context) == 0) return;
  // OpenSSL 3 signs what was before TLS 1.2 with MD5 and SHA-1, and speaks it at level 0 alone.
  if (versions_.value().highest >= protocol_version::tls1_2) return;
  fail(errc::invalid_setting, "setting the versions " + to_string(versions_.value()) +
                                  " without set_security_level(0)");
}

void algorithm_settings::apply_to(SSL_CTX* context, algorithm_settings const& applied) const {
  if (versions_.set_since(applied.versions_)) apply_versions(versions_.value(), context);
  std::string const none;
  apply_cipher_lists(context, tls12_.set_since(applied.tls12_) ? tls12_.value() : none,
                     tls13_.set_since(applied.tls13_) ? tls13_.value() : none);
  if (groups_.set_since(applied.groups_)) apply_groups(groups_.value(), context);
  if (signatures_.set_since(applied.signatures_)) apply_signatures(signatures_.value(), context);
  if (client_signatures_.set_since(applied.client_signatures_)) {
    apply_client_signatures(client_signatures_.value(), context);
  }
  if (order_.set_since(applied.order_)) apply_order(order_.value(), context);
  if (dh_auto_.set_since(applied.dh_auto_)) SSL_CTX_set_dh_auto(context, dh_auto_.value() ? 1 : 0);
  // Last: a list may have words that set it, too, and were set before.
  if (level_.set_since(applied.level_)) apply_level_to(context);
}

void algorithm_settings::apply_level_to(SSL_CTX* context) const {
  SSL_CTX_set_security_level(context, level_.value().connections);
  X509_VERIFY_PARAM_set_auth_level(SSL_CTX_get0_param(context), level_.value().certificates);
}

}  // namespace cotls::detail
