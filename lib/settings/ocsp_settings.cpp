#include "settings/ocsp_settings.hpp"

#include "openssl/openssl_error.hpp"
#include "openssl/owned_by_context.hpp"
#include "session/resumption.hpp"
#include "trust/ocsp_response.hpp"

#include <cotls/error.hpp>

#include <openssl/ssl.h>

#include <span>
#include <utility>

namespace cotls::detail {

namespace {

using shared_response = std::shared_ptr<ocsp_response const>;

[[noreturn]] void refuse_response(std::string doing, std::string_view why) {
  failure known;
  known.context = std::move(doing);
  known.remark = why;
  throw error(errc::invalid_ocsp_response, std::move(known));
}

// Called by OpenSSL when a client asks, once it has chosen the certificate. A client without an
// answer decides for itself; one with an old answer must end the connection (RFC 6066 section 8).
int on_client_asks(SSL* connection, void*) noexcept {
  auto const* const kept = owned_by_context<shared_response>::find(SSL_get_SSL_CTX(connection));
  X509* const shown = SSL_get_certificate(connection);
  if (!kept || !shown || !(*kept)->is_current(shown, today(connection))) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  std::span<unsigned char const> const der = (*kept)->der();
  auto* const copy = static_cast<unsigned char*>(OPENSSL_memdup(der.data(), der.size()));
  if (!copy) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_tlsext_status_ocsp_resp(connection, copy, static_cast<long>(der.size()));   // takes it
  return SSL_TLSEXT_ERR_OK;
}

void staple_by(SSL_CTX* context, shared_response const& response) {
  auto made = std::make_unique<shared_response>(response);
  auto const* const given = made.get();
  clear_openssl_errors();
  auto const replaced = owned_by_context<shared_response>::exchange(context, std::move(made));
  if (replaced.get() == given) throw_openssl_error({}, "setting an OCSP response");
  SSL_CTX_set_tlsext_status_cb(context, on_client_asks);
}

}  // namespace

void ocsp_settings::staple(std::string_view der, std::string const& doing) {
  auto read = std::make_shared<ocsp_response const>(
      std::span(reinterpret_cast<unsigned char const*>(der.data()), der.size()));
  if (!read->defect().empty()) refuse_response(doing, read->defect());
  stapled_.set(std::move(read));
}

void ocsp_settings::check(X509* certificate) const {
  if (!stapled_.is_set() || !certificate || stapled_.value()->is_of(certificate)) return;
  refuse_response("using the server's OCSP response", "it is of another certificate");
}

void ocsp_settings::apply_to(SSL_CTX* context, ocsp_settings const& applied) const {
  if (wanted_.set_since(applied.wanted_)) {
    constexpr int nothing = -1;   // OpenSSL has no public name for it
    SSL_CTX_set_tlsext_status_type(context,
                                   wanted() == ocsp::none ? nothing : TLSEXT_STATUSTYPE_ocsp);
  }
  if (stapled_.set_since(applied.stapled_)) staple_by(context, stapled_.value());
}

}  // namespace cotls::detail
