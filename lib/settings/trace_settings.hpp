#pragma once

#include <cotls/traced_message.hpp>

#include <openssl/types.h>

#include <functional>
#include <memory>

namespace cotls::detail {

/** Who is told what a context's connections say; by default nobody. */
class trace_settings {
 public:
  using listener = std::function<void(traced_message const& said)>;

  trace_settings() = default;

  /** @param told  None for nobody. */
  explicit trace_settings(listener told);

  /** It lives as long as the context's connections do.
      @par Errors OpenSSL's, when there is no memory */
  void apply_to(SSL_CTX* context) const;

  /** Equal is what tells the same listener, of one call of the setter. */
  bool operator==(trace_settings const&) const = default;

 private:
  std::shared_ptr<listener const> told_;
};

}  // namespace cotls::detail
