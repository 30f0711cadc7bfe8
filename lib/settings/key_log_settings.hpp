#pragma once

#include <openssl/types.h>

#include <functional>
#include <memory>
#include <string_view>

namespace cotls::detail {

/** Who is told the secrets of a context's connections; by default nobody. */
class key_log_settings {
 public:
  using listener = std::function<void(std::string_view line)>;

  key_log_settings() = default;

  /** @param told  None for nobody. */
  explicit key_log_settings(listener told);

  /** It lives as long as the context's connections do.
      @par Errors OpenSSL's, when there is no memory */
  void apply_to(SSL_CTX* context) const;

  /** Equal is what tells the same listener, of one call of the setter. */
  bool operator==(key_log_settings const&) const = default;

 private:
  std::shared_ptr<listener const> told_;
};

}  // namespace cotls::detail
