#pragma once

#include <cotls/alpn_mismatch.hpp>
#include <cotls/detail/support/role.hpp>

#include <openssl/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cotls::detail {

/** The protocols that are negotiated by ALPN (RFC 7301), the preferred one first. */
class alpn_settings {
 public:
  alpn_settings() = default;

  /** @param policy  What a server does without a common protocol.
      @par Errors errc::invalid_alpn_protocol */
  explicit alpn_settings(std::vector<std::string> const& protocols,
                         alpn_mismatch policy = alpn_mismatch::refuse);

  /** A context's clients offer them, its servers choose the first that a client offers. The list
      lives as long as the context's connections do. */
  void apply_to(SSL_CTX* context, role end) const;

  /** One client offers them, whatever its context says. */
  void apply_to(SSL* client) const;

  /** Returns the first one, and the one of this name; empty when there is none. Views of this. */
  std::string_view first() const noexcept;
  std::string_view find(std::string_view name) const noexcept;

  /** One server chooses from them, whatever its context says.
      @par Errors errc::invalid_setting where the context's callback need not be this one's */
  void choose_for(SSL* server) const;

  /** Returns what `choose_for` has set. */
  static std::optional<alpn_settings> chosen_for(SSL const* server);

  bool operator==(alpn_settings const&) const = default;

 private:
  std::string wire_;   // each name after a byte that holds its length (RFC 7301 section 3.1)
  alpn_mismatch policy_ = alpn_mismatch::refuse;
};

}  // namespace cotls::detail
