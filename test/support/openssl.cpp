#include "openssl.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <stdexcept>

namespace cotls::test {

namespace {

void check(long result, char const* refused) {
  if (result != 1) throw std::runtime_error(refused);
}

}  // namespace

void request_key_update(ssl_st* ssl) {
  check(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), "no key update can be sent");
}

void update_key(ssl_st* ssl) {
  check(SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED), "no key update can be sent");
}

void send_session_ticket(ssl_st* ssl) {
  check(SSL_new_session_ticket(ssl), "no session ticket can be sent");
}

void use_small_records(ssl_st* ssl) {
  check(SSL_set_max_send_fragment(ssl, 512), "records cannot be that small");
}

void allow_post_handshake_authentication(ssl_st* ssl) { SSL_set_post_handshake_auth(ssl, 1); }

void request_client_certificate(ssl_st* ssl) {
  SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  check(SSL_verify_client_post_handshake(ssl), "no certificate can be asked for");
}

void request_renegotiation(ssl_st* ssl) {
  SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
  check(SSL_renegotiate(ssl), "no other handshake can be asked for");
}

void cleanse_plaintext(ssl_ctx_st* context) {
  SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT);
}

std::size_t pending(ssl_st const* ssl) { return static_cast<std::size_t>(SSL_pending(ssl)); }

void leave_an_openssl_error() { ERR_raise(ERR_LIB_PEM, PEM_R_NO_START_LINE); }

}  // namespace cotls::test
