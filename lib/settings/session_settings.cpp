#include "settings/session_settings.hpp"

#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"
#include "session/resumption.hpp"
#include "session/ticket_encryption.hpp"

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <utility>

namespace cotls::detail {

void session_settings::set_cache(std::size_t servers) {
  cache_.set(servers > 0 ? std::make_shared<session_cache>(servers) : nullptr);
}

void session_settings::set_told(told_type told) {
  told_.set(told ? std::make_shared<told_type const>(std::move(told)) : nullptr);
}

void session_settings::set_lifetime(std::chrono::seconds time) {
  // RFC 8446 section 4.6.1: "Servers MUST NOT use any value greater than 604800 seconds (7 days)."
  constexpr std::chrono::seconds longest = std::chrono::hours(24 * 7);
  if (time < std::chrono::seconds(1) || time > longest) {
    fail(errc::invalid_setting, "set_session_lifetime: from a second to 7 days");
  }
  lifetime_.set(time);
}

void session_settings::set_early_data(early_data_options how) {
  // As much as a record holds: it is kept in one piece until it is read.
  if (how.max() == 0 || how.max() > SSL3_RT_MAX_PLAIN_LENGTH) {
    fail(errc::invalid_setting, "set_early_data: from 1 to " +
                                    std::to_string(SSL3_RT_MAX_PLAIN_LENGTH) + " bytes");
  }
  early_data_.set(std::make_shared<early_data_options const>(std::move(how)));
}

// Of a ticket nobody can tell whether it was used; and where a connection may be refused once it is
// established, what was read before that would be read of anybody.
void session_settings::check_early_data(bool may_refuse) const {
  if (!early_data()) return;
  if (keys_.is_set()) {
    fail(errc::invalid_setting,
         "set_early_data beside set_ticket_keys, by which it could be replayed");
  }
  if (tickets_.is_set() && tickets_.value() == 0) {
    fail(errc::invalid_setting, "set_early_data beside set_session_tickets(0)");
  }
  if (may_refuse && !early_data()->rule()) {
    fail(errc::invalid_setting,
         "set_early_data beside on_established, on_verify or pins, and without a rule of its own "
         "(early_data_options::accept_if)");
  }
}

void session_settings::check(bool may_refuse) const {
  check_early_data(may_refuse);
  if (keys_.is_set() && store()) {
    fail(errc::invalid_setting, "set_ticket_keys beside set_session_store, which gives no tickets");
  }
  if (tickets_.is_set() && tickets_.value() == 0 && store()) {
    fail(errc::invalid_setting, "set_session_store beside set_session_tickets(0)");
  }
  if (!keys_.is_set()) return;
  std::chrono::seconds const needed = lifetime_.is_set() ? lifetime_.value()
                                                         : usual_session_lifetime;
  if (keys_.value()->lasting() >= needed) return;
  fail(errc::invalid_setting,
       "ticket keys that decrypt for a shorter time than sessions last (set_session_lifetime)");
}

void session_settings::apply_to(SSL_CTX* context, role end, bool adopted,
                                session_settings const& applied) const {
  if (cache_.set_since(applied.cache_)) {
    // OpenSSL keeps none itself: it would remember them by their number, not by their server. It
    // tells of them also when none are kept.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  }
  apply_tickets(context, adopted, applied);
  if (lifetime_.set_since(applied.lifetime_)) limit_sessions(context, lifetime_.value());
  if (keys_.set_since(applied.keys_)) {
    encrypt_tickets(context, keys_.value()->ring());
  } else if (lifetime_.set_since(applied.lifetime_) && !keys_.is_set()) {
    encrypt_tickets(context, std::make_shared<ticket_key_ring>(lifetime_.value()));
  }
  if (end == role::client) return;
  bool const tickets_changed = tickets_.set_since(applied.tickets_);
  if (store() && (tickets_changed || store_.set_since(applied.store_))) {
    store_sessions(context, store());
  }
  if (early_data() && (tickets_changed || early_data_.set_since(applied.early_data_))) {
    take_early_data(context, early_data()->max());
  }
}

void session_settings::apply_tickets(SSL_CTX* context, bool adopted,
                                     session_settings const& applied) const {
  if (!tickets_.set_since(applied.tickets_)) return;
  if (SSL_CTX_set_num_tickets(context, tickets_.value()) != 1) {
    throw_openssl_error(errc::invalid_setting, "setting the number of session tickets");
  }
  if (tickets_.value() > 0) {
    SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
  } else {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  }
  if (!adopted) keep_sessions(context, tickets_.value() > 0);
}

}  // namespace cotls::detail
