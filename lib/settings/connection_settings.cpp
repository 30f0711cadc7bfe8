#include "settings/connection_settings.hpp"

#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"
#include "settings/cipher_list.hpp"
#include "settings/name_list.hpp"
#include "settings/version_range.hpp"

#include <openssl/ssl.h>

namespace cotls::detail {

connection_settings::connection_settings(special_options const& asked, SSL_CTX* of)
    : settings_(asked) {
  if (settings_.versions) check_versions(*settings_.versions);
  if (!settings_.tls12.empty() || !settings_.tls13.empty()) {
    int const level = check_cipher_lists(of, settings_.tls12, settings_.tls13);
    if (level != SSL_CTX_get_security_level(of)) {
      fail(errc::invalid_setting, "setting a connection's cipher suites \"" + settings_.tls12 +
                                      "\", with a security level,");
    }
  }
  if (settings_.groups) settings_.groups = known_groups(of, *settings_.groups);
  if (settings_.signatures) settings_.signatures = known_signatures(of, *settings_.signatures);
}

void connection_settings::apply_to(SSL* connection) const {
  clear_openssl_errors();
  bool set = true;
  if (settings_.versions) {
    auto const [lowest, highest] = *settings_.versions;
    set &= SSL_set_min_proto_version(connection, openssl_number(lowest)) == 1 &&
           SSL_set_max_proto_version(connection, openssl_number(highest)) == 1;
  }
  if (!settings_.tls12.empty()) {
    set &= SSL_set_cipher_list(connection, settings_.tls12.c_str()) == 1;
  }
  if (!settings_.tls13.empty()) {
    set &= SSL_set_ciphersuites(connection, settings_.tls13.c_str()) == 1;
  }
  if (settings_.groups) set &= SSL_set1_groups_list(connection, settings_.groups->c_str()) == 1;
  if (settings_.signatures) {
    set &= SSL_set1_sigalgs_list(connection, settings_.signatures->c_str()) == 1;
  }
  if (!set) throw_openssl_error(errc::invalid_setting, "setting a connection's algorithms");
}

}  // namespace cotls::detail
