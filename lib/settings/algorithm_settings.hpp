#pragma once

#include <cotls/policy.hpp>
#include <cotls/protocol_version.hpp>
#include <cotls/suite_order.hpp>

#include "settings/setting.hpp"

#include <openssl/types.h>

#include <string>

namespace cotls::detail {

/** How strong things must be. */
struct security_level {
  int connections = 0;
  int certificates = -1;   // -1: as connections

  bool operator==(security_level const&) const = default;
};

/** The versions, the cipher suites and whose order of them counts, the groups of the key exchange,
    the signature algorithms, and how strong it all must be; what is not set stays as a context has
    it.

    Each is checked on a context like the one that it is for, `trial`, which has its suites and its
    security level. */
class algorithm_settings {
 public:
  /** Sets the suites of TLS 1.2 and of TLS 1.3; an empty list stays as it is. A security level that
      is among the words counts as set.
      @par Errors as `check_cipher_lists` */
  void set_ciphers(std::string const& tls12, std::string const& tls13, SSL_CTX* trial);

  /** @par Errors as `known_groups` */
  void set_groups(std::string const& groups, SSL_CTX* trial);

  /** @par Errors as `known_signatures` */
  void set_signatures(std::string const& list, SSL_CTX* trial);
  void set_client_signatures(std::string const& list, SSL_CTX* trial);

  /** @par Errors as `check_versions` */
  void set_versions(version_range const& versions);

  /** @par Errors errc::invalid_setting for another level than 0 to 5, and for 0 with suites by
      which nobody is verified */
  void set_level(int level, SSL_CTX* trial);

  void set_order(suite_order whose) { order_.set(whose); }
  void set_dh_auto(bool on) { dh_auto_.set(on); }

  /** Sets all that a policy says. */
  void use(policy named, SSL_CTX* trial);

  /** Checks what a context has come to.
      @par Errors errc::invalid_setting for versions of which its security level leaves none */
  void check(SSL_CTX* context) const;

  /** @param applied  What the context has of it already. */
  void apply_to(SSL_CTX* context, algorithm_settings const& applied) const;

  bool operator==(algorithm_settings const&) const = default;

 private:
  void apply_level_to(SSL_CTX* context) const;

  setting<version_range> versions_;
  setting<std::string> tls12_;
  setting<std::string> tls13_;
  setting<std::string> groups_;
  setting<std::string> signatures_;
  setting<std::string> client_signatures_;
  setting<security_level> level_;
  setting<suite_order> order_;
  setting<bool> dh_auto_;
};

}  // namespace cotls::detail
