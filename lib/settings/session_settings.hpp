#pragma once

#include <cotls/detail/session/session_storage.hpp>
#include <cotls/detail/support/role.hpp>
#include <cotls/early_data.hpp>
#include <cotls/session.hpp>
#include <cotls/ticket_keys.hpp>

#include "session/session_cache.hpp"
#include "settings/setting.hpp"

#include <openssl/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

namespace cotls::detail {

/** Which sessions are kept and given out; what is not set stays as a context has it. */
class session_settings {
 public:
  /** Of how many servers a client remembers sessions, which begins with none; 0: of no server. */
  void set_cache(std::size_t servers);

  /** The sessions that clients may resume; null when none are kept. */
  session_cache* cache() const noexcept { return cache_.value().get(); }

  using told_type = std::function<void(session const&)>;

  /** Who is told of each session that a client is given; an empty function: nobody. */
  void set_told(told_type told);
  told_type const* told() const noexcept { return told_.value().get(); }

  /** How many tickets a server gives each client; 0: none. */
  void set_tickets(std::size_t count) noexcept { tickets_.set(count); }

  /** What a server encrypts tickets with. */
  void set_keys(ticket_keys keys) { keys_.set(std::move(keys)); }

  /** Where sessions are kept instead; null: in tickets, or a client's cache. */
  void set_store(std::shared_ptr<session_storage> store) { store_.set(std::move(store)); }
  std::shared_ptr<session_storage> const& store() const noexcept { return store_.value(); }

  /** How a server takes early data, which takes none otherwise.
      @par Errors errc::invalid_setting */
  void set_early_data(early_data_options how);
  std::shared_ptr<early_data_options const> const& early_data() const noexcept {
    return early_data_.value();
  }

  /** Whether other contexts may resume a server's sessions. */
  bool are_shared() const noexcept { return keys_.is_set() || store(); }

  /** How long after its full handshake a session may be resumed.
      @par Errors errc::invalid_setting */
  void set_lifetime(std::chrono::seconds time);

  /** Checks what contradicts: keys that do not last as long as the sessions, and the like.
      @param may_refuse  Whether a connection that is established may still be refused.
      @par Errors errc::invalid_setting */
  void check(bool may_refuse) const;

  /** @param end      Whose sessions they are.
      @param adopted  The context keeps sessions in its own way.
      @param applied  What the context has of it already. */
  void apply_to(SSL_CTX* context, role end, bool adopted, session_settings const& applied) const;

  bool operator==(session_settings const&) const = default;

 private:
  void check_early_data(bool may_refuse) const;
  void apply_tickets(SSL_CTX* context, bool adopted, session_settings const& applied) const;

  setting<std::shared_ptr<session_cache>> cache_;
  setting<std::size_t> tickets_;
  setting<std::shared_ptr<told_type const>> told_;
  setting<std::optional<ticket_keys>> keys_;
  setting<std::chrono::seconds> lifetime_;
  setting<std::shared_ptr<session_storage>> store_;
  setting<std::shared_ptr<early_data_options const>> early_data_;
};

}  // namespace cotls::detail
