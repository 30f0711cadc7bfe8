#include "settings/peer_settings.hpp"

#include "error/fail.hpp"
#include "trust/unverified.hpp"

#include <openssl/ssl.h>

#include <string>

namespace cotls::detail {

namespace {

bool takes_unverified(verify mode) noexcept {
  return mode != verify::none && !needs_roots(mode);
}

int bits_of(verify mode, role end) noexcept {
  switch (mode) {
    case verify::none: return SSL_VERIFY_NONE;
    case verify::ask:
    case verify::optional: return SSL_VERIFY_PEER;
    case verify::require_any:
    case verify::required: break;
  }
  return end == role::server ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER;
}

// A callback of the program's stays; but for one that was given for another mode.
SSL_verify_cb callback_of(verify mode, SSL_CTX const* context) noexcept {
  if (takes_unverified(mode)) return take_unverified;
  SSL_verify_cb const callback = SSL_CTX_get_verify_callback(context);
  return callback == take_unverified ? nullptr : callback;
}

void set_late_by(SSL_CTX* context, role end, bool on) {
  if (end == role::client) {
    SSL_CTX_set_post_handshake_auth(context, on ? 1 : 0);
    return;
  }
  int const mode = SSL_CTX_get_verify_mode(context) & ~SSL_VERIFY_POST_HANDSHAKE;
  bool const asks = (mode & SSL_VERIFY_PEER) != 0;
  SSL_CTX_set_verify(context, on && asks ? mode | SSL_VERIFY_POST_HANDSHAKE : mode,
                     SSL_CTX_get_verify_callback(context));
}

void set_time_of(X509_VERIFY_PARAM* verification,
                 std::optional<std::chrono::system_clock::time_point> const& moment) {
  X509_VERIFY_PARAM_clear_flags(verification, X509_V_FLAG_USE_CHECK_TIME);
  if (!moment) return;
  X509_VERIFY_PARAM_set_time(verification, std::chrono::system_clock::to_time_t(*moment));
}

}  // namespace

void peer_settings::set_verify(verify mode, role end) {
  if (takes_unverified(mode) && end == role::client) {
    fail(errc::invalid_setting,
         "set_verify of a client with another word than verify::required or verify::none");
  }
  mode_.set(mode);
}

void peer_settings::set_depth(int most) {
  if (most < 0) fail(errc::invalid_setting, "set_verify_depth(" + std::to_string(most) + ')');
  depth_.set(most);
}

void peer_settings::set_max_list(std::size_t bytes) {
  // A message of a handshake is no longer (RFC 8446 section 4: "uint24 length").
  constexpr std::size_t longest = 0xff'ffff;
  if (bytes == 0 || bytes > longest) {
    fail(errc::invalid_setting,
         "set_max_certificate_list: from 1 to " + std::to_string(longest) + " bytes");
  }
  max_list_.set(bytes);
}

void peer_settings::check(verify mode) const {
  if (needs_roots(mode)) return;
  if (decides()) {
    fail(errc::invalid_setting, "set_verifier without verify::optional or verify::required");
  }
  if (on_chain()) {
    fail(errc::invalid_setting, "on_verify without verify::optional or verify::required");
  }
  if (!pins_.empty()) fail(errc::invalid_setting, "set_pins without verify::required");
}

void peer_settings::set_pins(std::vector<key_pin> pins) {
  if (pins.empty()) fail(errc::invalid_setting, "set_pins without a pin");
  pins_ = std::move(pins);
}

void peer_settings::suggest(std::filesystem::path const& file) {
  std::string const doing = "loading the suggested authorities " + file.string();
  auto read = std::make_shared<authorities const>(authorities::from_file(file, doing));
  if (!read->has_certificates()) fail(errc::no_certificate_found, doing);
  suggested_.push_back(std::move(read));
}

void peer_settings::apply_to(SSL_CTX* context, role end, peer_settings const& applied) const {
  if (mode_.set_since(applied.mode_)) {
    verify const mode = mode_.value();
    SSL_CTX_set_verify(context, bits_of(mode, end), callback_of(mode, context));
  }
  bool const changed = mode_.set_since(applied.mode_) || late_.set_since(applied.late_);
  if (changed && late_.is_set()) set_late_by(context, end, late_.value());
  if (depth_.set_since(applied.depth_)) SSL_CTX_set_verify_depth(context, depth_.value());
  if (max_list_.set_since(applied.max_list_)) {
    SSL_CTX_set_max_cert_list(context, static_cast<long>(max_list_.value()));
  }
  if (time_.set_since(applied.time_)) set_time_of(SSL_CTX_get0_param(context), time_.value());
  for (std::size_t i = applied.suggested_.size(); i < suggested_.size(); ++i) {
    suggested_[i]->suggest_by(context);
  }
}

verify peer_settings::mode_of(SSL_CTX const* context, role end) noexcept {
  int const bits = SSL_CTX_get_verify_mode(context);
  if ((bits & SSL_VERIFY_PEER) == 0) return verify::none;
  if (end == role::client) return verify::required;
  bool const must = (bits & SSL_VERIFY_FAIL_IF_NO_PEER_CERT) != 0;
  if (SSL_CTX_get_verify_callback(context) == take_unverified) {
    return must ? verify::require_any : verify::ask;
  }
  return must ? verify::required : verify::optional;
}

}  // namespace cotls::detail
