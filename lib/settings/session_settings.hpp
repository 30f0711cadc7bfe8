#pragma once

#include <cotls/detail/support/role.hpp>

#include "session/session_cache.hpp"
#include "settings/setting.hpp"

#include <openssl/types.h>

#include <cstddef>
#include <memory>

namespace cotls::detail {

/** Which sessions are kept and given out; what is not set stays as a context has it. */
class session_settings {
 public:
  /** Of how many servers a client remembers sessions, which begins with none; 0: of no server. */
  void set_cache(std::size_t servers);

  /** The sessions that clients may resume; null when none are kept. */
  session_cache* cache() const noexcept { return cache_.value().get(); }

  /** How many tickets a server gives each client; 0: none. */
  void set_tickets(std::size_t count) noexcept { tickets_.set(count); }

  /** @param adopted  The context keeps sessions in its own way.
      @param applied  What the context has of it already. */
  void apply_to(SSL_CTX* context, bool adopted, session_settings const& applied) const;

  bool operator==(session_settings const&) const = default;

 private:
  setting<std::shared_ptr<session_cache>> cache_;
  setting<std::size_t> tickets_;
};

}  // namespace cotls::detail
