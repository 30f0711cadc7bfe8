#pragma once

#include <cotls/detail/support/role.hpp>

#include <openssl/types.h>

#include <cstddef>
#include <optional>

namespace cotls::detail {

/** Which sessions are kept and given out; what is not set stays as a context has it. */
class session_settings {
 public:
  /** Of how many servers a client remembers sessions; 0: none. */
  void set_cache(std::size_t servers) noexcept { servers_ = servers; }

  /** How many tickets a server gives each client; 0: none. */
  void set_tickets(std::size_t count) noexcept { tickets_ = count; }

  std::optional<std::size_t> servers() const noexcept { return servers_; }

  /** @param adopted  The context keeps sessions in its own way. */
  void apply_to(SSL_CTX* context, bool adopted) const;

  bool operator==(session_settings const&) const = default;

 private:
  std::optional<std::size_t> servers_;
  std::optional<std::size_t> tickets_;
};

}  // namespace cotls::detail
