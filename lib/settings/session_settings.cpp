#include "settings/session_settings.hpp"

#include "openssl/openssl_error.hpp"
#include "session/resumption.hpp"

#include <openssl/ssl.h>

namespace cotls::detail {

void session_settings::set_cache(std::size_t servers) {
  cache_.set(servers > 0 ? std::make_shared<session_cache>(servers) : nullptr);
}

void session_settings::apply_to(SSL_CTX* context, bool adopted,
                                session_settings const& applied) const {
  if (cache_.set_since(applied.cache_)) {
    // OpenSSL keeps none itself: it would remember them by their number, not by their server.
    SSL_CTX_set_session_cache_mode(
        context, cache() ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL : SSL_SESS_CACHE_OFF);
  }
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
