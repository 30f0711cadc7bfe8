#pragma once

#include "settings/setting.hpp"

#include <openssl/types.h>

#include <string>

namespace cotls::detail {

/** The cipher suites and the groups of the key exchange; what is not set stays as a context has
    it. */
class algorithm_settings {
 public:
  /** Sets the suites of TLS 1.2 and of TLS 1.3; an empty list stays as it is.
      @param beneath  The context whose security level they are checked at.
      @par Errors as `check_cipher_lists` */
  void set_ciphers(std::string const& tls12, std::string const& tls13, SSL_CTX* beneath);

  /** @par Errors errc::invalid_setting */
  void set_groups(std::string const& groups, SSL_CTX* beneath);

  /** @param applied  What the context has of it already. */
  void apply_to(SSL_CTX* context, algorithm_settings const& applied) const;

  bool operator==(algorithm_settings const&) const = default;

 private:
  setting<std::string> tls12_;
  setting<std::string> tls13_;
  setting<std::string> groups_;
};

}  // namespace cotls::detail
