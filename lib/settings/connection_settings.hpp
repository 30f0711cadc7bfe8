#pragma once

#include <cotls/detail/settings/special_options.hpp>

#include <openssl/types.h>

namespace cotls::detail {

/** The versions and algorithms of one client's connection, instead of its context's. */
class connection_settings {
 public:
  /** Checks them at the security level of a context, which is the connection's.
      @par Errors errc::invalid_setting, naming the word; errc::unsupported_protocol */
  connection_settings(special_options const& asked, SSL_CTX* of);

  void apply_to(SSL* connection) const;

 private:
  special_options settings_;   // lists as OpenSSL is to have them
};

}  // namespace cotls::detail
