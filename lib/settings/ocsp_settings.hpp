#pragma once

#include <cotls/ocsp.hpp>

#include "settings/setting.hpp"

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

namespace cotls::detail {

class ocsp_response;

/** Whether a client asks for OCSP responses, and the one that a server has (RFC 6066 section 8). */
class ocsp_settings {
 public:
  void ask(ocsp wanted) { wanted_.set(wanted); }
  ocsp wanted() const noexcept { return wanted_.value(); }

  /** @param doing  What the error says was tried.
      @par Errors errc::invalid_ocsp_response */
  void staple(std::string_view der, std::string const& doing);

  /** Checks that it is of the server's certificate; null where that is not known.
      @par Errors errc::invalid_ocsp_response */
  void check(X509* certificate) const;

  /** The response is the context's, and lives as long as its connections. That what a client has
      got is looked at is whoever's who seals the context.
      @par Errors OpenSSL's, when there is no memory */
  void apply_to(SSL_CTX* context, ocsp_settings const& applied) const;

  bool operator==(ocsp_settings const&) const = default;

 private:
  setting<ocsp> wanted_;
  setting<std::shared_ptr<ocsp_response const>> stapled_;
};

}  // namespace cotls::detail
