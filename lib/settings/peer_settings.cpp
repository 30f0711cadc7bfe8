#include "settings/peer_settings.hpp"

#include "error/fail.hpp"

#include <openssl/ssl.h>

#include <string>

namespace cotls::detail {

void peer_settings::suggest(std::filesystem::path const& file) {
  std::string const doing = "loading the suggested authorities " + file.string();
  auto read = std::make_shared<authorities const>(authorities::from_file(file, doing));
  if (!read->has_certificates()) fail(errc::no_certificate_found, doing);
  suggested_.push_back(std::move(read));
}

void peer_settings::apply_to(SSL_CTX* context, role end, peer_settings const& applied) const {
  if (mode_.set_since(applied.mode_)) {
    verify const mode = mode_.value();
    int bits = SSL_VERIFY_NONE;
    if (mode != verify::none) bits = SSL_VERIFY_PEER;
    if (mode == verify::required && end == role::server) bits |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context, bits, SSL_CTX_get_verify_callback(context));
  }
  for (std::size_t i = applied.suggested_.size(); i < suggested_.size(); ++i) {
    suggested_[i]->suggest_by(context);
  }
}

verify peer_settings::mode_of(SSL_CTX const* context, role end) noexcept {
  int const bits = SSL_CTX_get_verify_mode(context);
  if ((bits & SSL_VERIFY_PEER) == 0) return verify::none;
  if (end == role::client) return verify::required;
  return (bits & SSL_VERIFY_FAIL_IF_NO_PEER_CERT) != 0 ? verify::required : verify::optional;
}

}  // namespace cotls::detail
