#pragma once

#include <cotls/detail/support/role.hpp>

#include "settings/setting.hpp"

#include <openssl/types.h>

#include <cstddef>

namespace cotls::detail {

/** Which sessions are kept and given out; what is not set stays as a context has it. */
class session_settings {
 public:
  /** Of how many servers a client remembers sessions; 0: none. */
  void set_cache(std::size_t servers) noexcept { servers_.set(servers); }

  /** How many tickets a server gives each client; 0: none. */
  void set_tickets(std::size_t count) noexcept { tickets_.set(count); }

  /** @param adopted  The context keeps sessions in its own way.
      @param applied  What the context has of it already. */
  void apply_to(SSL_CTX* context, bool adopted, session_settings const& applied) const;

  bool operator==(session_settings const&) const = default;

 private:
  setting<std::size_t> servers_;
  setting<std::size_t> tickets_;
};

}  // namespace cotls::detail
