// The program's last word on a connection, when OpenSSL has done its part, and nothing was read or
// written:
//
//   SSL_do_handshake succeeds -> judge -> open
//                                  |
//                                  +--> refuse: the peer is told, the session forgotten -> refused
//
// A client that is asked for its certificate later is judged again when it has answered: then the
// connection has failed.

#include <cotls/detail/engine/ssl_engine.hpp>

#include "context/context_state.hpp"
#include "engine/last_word.hpp"
#include "openssl/openssl_error.hpp"
#include "session/resumption.hpp"

#include <openssl/ssl.h>

#include <exception>
#include <new>
#include <string>
#include <utility>

namespace cotls::detail {

namespace {

// Of those that are for private use (RFC 8447 section 7). It is never sent.
constexpr unsigned unsent_extension = 0xffcd;

// Called by OpenSSL for each hello and each ticket of TLS 1.3.
int on_extension(SSL* ssl, unsigned, unsigned, unsigned char const**, std::size_t*, X509*,
                 std::size_t, int* alert, void*) {
  ssl_engine const* const self = ssl_engine::serving(ssl);
  if (!self || !self->failed()) return 0;   // there is none
  *alert = SSL_AD_ACCESS_DENIED;
  return -1;
}

std::string said_by(std::exception const& thrown) noexcept {
  try {
    return thrown.what();
  } catch (std::bad_alloc const&) {
    return {};
  }
}

}  // namespace

// That a hello may have it, too, lets OpenSSL pass over one that does.
void let_refusals_be_told(SSL_CTX* of) {
  clear_openssl_errors();
  int const added = SSL_CTX_add_custom_ext(
      of, unsent_extension, SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_NEW_SESSION_TICKET, on_extension,
      nullptr, nullptr, nullptr, nullptr);
  if (added != 1) throw_openssl_error(errc::unexpected_result, "on_established");
}

bool ssl_engine::has_last_word() const noexcept {
  return context_ && context_->settings().peer.has_last_word();
}

// Also where the program has switched verification off for this connection, or has given it a
// session: that one's chain is looked at now.
bool ssl_engine::pins_hold() {
  if (context_->settings().peer.pins().empty()) return true;
  bool const known = pinned_ || SSL_session_reused(ssl_.get()) == 0;
  X509* const own = SSL_get0_peer_certificate(ssl_.get());
  if (!known && own) verifies_today(ssl_.get(), own, SSL_get_peer_cert_chain(ssl_.get()));
  return pinned_ && peer().verified();
}

// An exception, of the program's or for want of memory, fails closed.
step ssl_engine::judge() noexcept {
  std::string said;
  try {
    if (!pins_hold()) return refuse(errc::no_pinned_key, {});
    auto const* const decides = context_->settings().peer.established();
    if (!decides || (*decides)(peer(), info())) return {};
  } catch (std::exception const& thrown) {
    said = said_by(thrown);
  } catch (...) {
    // It has said nothing.
  }
  return refuse(errc::peer_not_allowed, std::move(said));
}

step ssl_engine::refuse(errc why, std::string remark) noexcept {
  bool const late = record_ && record_->answered;
  phase_ = late ? phase::failed : phase::refused;
  say_access_denied();
  forget_session(ssl_.get());
  step const refused = fail(why, status::unclassified);
  if (record_) record_->fatal.remark = std::move(remark);
  return refused;
}

// OpenSSL has no call that sends an alert. But a callback that is asked for an extension may answer
// with one, which OpenSSL then sends: on a server of TLS 1.3 it is asked for each ticket, and on a
// client for its hello, with which before TLS 1.3 it would renegotiate. The others say
// close_notify, which OpenSSL does not after an alert.
void ssl_engine::say_access_denied() noexcept {
  SSL* const ssl = ssl_.get();
  bool asked = false;
  if (SSL_version(ssl) >= TLS1_3_VERSION) {
    asked = is_server() && SSL_new_session_ticket(ssl) == 1;
  } else if (!is_server()) {
    SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
    asked = SSL_renegotiate(ssl) == 1;
  }
  if (asked) SSL_do_handshake(ssl);
  SSL_shutdown(ssl);
  clear_openssl_errors();
}

}  // namespace cotls::detail
