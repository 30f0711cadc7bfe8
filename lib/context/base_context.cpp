#include "context/base_context.hpp"

#include "openssl/library.hpp"
#include "openssl/openssl_error.hpp"
#include "session/resumption.hpp"
#include "trust/revocation.hpp"

#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <array>
#include <string>

namespace cotls::detail {

namespace {

void set_common_defaults(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
#ifdef SSL_OP_NO_TX_CERTIFICATE_COMPRESSION
  // A compressed form of each certificate would be kept: 350 kB (T20).
  SSL_CTX_set_options(
      context, SSL_OP_NO_TX_CERTIFICATE_COMPRESSION | SSL_OP_NO_RX_CERTIFICATE_COMPRESSION);
#endif
  // A truncated stream must not look like a finished one (T12).
  SSL_CTX_clear_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  // What was loaded is what is sent: OpenSSL would otherwise look for the issuers of a lone
  // certificate among the roots, at each handshake.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_AUTO_RETRY | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_clear_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  heed_revocation_lists(SSL_CTX_get_cert_store(context));
}

bool set_server_defaults(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  guard_resumption(context);
  // A session of one context is never accepted by another (T2).
  std::array<unsigned char, SSL_MAX_SID_CTX_LENGTH> id;
  auto const size = static_cast<unsigned>(id.size());
  return RAND_bytes(id.data(), static_cast<int>(size)) == 1 &&
         SSL_CTX_set_session_id_context(context, id.data(), size) == 1 &&
         SSL_CTX_set_num_tickets(context, 1) == 1;
}

[[noreturn]] void cannot_make(version_settings const& versions, library_options const& from) {
  if (is_default(from)) throw_openssl_error({}, versions.doing());
  std::string const with = from.properties().empty()
                               ? " with a library context"
                               : " with the properties \"" + from.properties() + '"';
  throw_openssl_error(errc::invalid_setting, versions.doing() + with);
}

}  // namespace

ssl_ctx_ptr make_base_context(role end, version_settings const& versions,
                              library_options const& from) {
  clear_openssl_errors();
  ssl_ctx_ptr made =
      make_ssl_ctx(end == role::client ? TLS_client_method() : TLS_server_method(), from);
  if (!made) cannot_make(versions, from);
  versions.apply_to(made.get());
  set_common_defaults(made.get());
  if (end == role::server && !set_server_defaults(made.get())) {
    throw_openssl_error({}, versions.doing());
  }
  return made;
}

}  // namespace cotls::detail
