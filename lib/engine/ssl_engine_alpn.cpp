// The protocols that one connection offers, or chooses from, whatever its context says.

#include <cotls/detail/engine/ssl_engine.hpp>

#include "engine/early_state.hpp"
#include "error/fail.hpp"
#include "settings/alpn_settings.hpp"

#include <openssl/ssl.h>

namespace cotls::detail {

void ssl_engine::set_alpn(std::vector<std::string> const& protocols, alpn_mismatch policy) {
  if (!has_not_begun(phase_) || SSL_in_before(ssl_.get()) != 1) {
    detail::fail(errc::invalid_setting, "set_alpn once the handshake has begun");
  }
  alpn_settings const own(protocols, policy);
  if (is_server()) {
    own.choose_for(ssl_.get());
  } else {
    own.apply_to(ssl_.get());
    if (record_ && record_->sending) record_->sending->offered = own;
  }
}

}  // namespace cotls::detail
