// A client's sessions: what a server gave in an earlier connection is offered to the same one,
// after it was verified once more (T3, T26). A context is sealed with the callback that brings them.

#include <cotls/detail/engine/ssl_engine.hpp>

#include <cotls/detail/support/access.hpp>

#include "context/context_state.hpp"
#include "engine/last_word.hpp"
#include "engine/seal.hpp"
#include "identity/host_name.hpp"
#include "session/resumption.hpp"
#include "settings/version_range.hpp"

#include <openssl/ssl.h>

#include <string>

namespace cotls::detail {

namespace {

// A callback of the program's stays, but for one in whose place it has given another.
void install_callbacks(context_state& to) {
  SSL_CTX* const context = to.handle();
  bool const asked = to.sessions() && !SSL_CTX_sess_get_new_cb(context);
  if (asked) SSL_CTX_sess_set_new_cb(context, ssl_engine::on_new_session);
  peer_settings const& peer = to.settings().peer;
  if (peer.decides() || !peer.pins().empty()) {
    SSL_CTX_set_verify(context, SSL_CTX_get_verify_mode(context), ssl_engine::on_verify);
  }
  if (peer.on_chain()) verify_chains_by(context, ssl_engine::on_verify_chain);
  if (to.settings().ocsp.wanted() != ocsp::none) {
    SSL_CTX_set_tlsext_status_cb(context, ssl_engine::on_ocsp_response);
  }
  if (to.settings().hooks.on_certificate()) {
    SSL_CTX_set_cert_cb(context, ssl_engine::on_certificate, nullptr);
  }
  if (peer.has_last_word()) let_refusals_be_told(context);
  // A callback of the program's own could not be seen.
  bool const may_have_another = to.adopted || to.is_lent();
  if (to.end == role::server && !to.settings().alpn.is_set() && !may_have_another) {
    alpn_settings().apply_to(context, role::server);
  }
}

// A session of a connection that has verified no name, or has asked for another, must not stand for
// one that is to (T3), and a server may refuse one with a suite that was not offered.
std::string variety_of(std::string const& host, special_options const& of) {
  constexpr char separator = '\n';
  std::string text = separator + (of.any_name ? host : std::string()) + separator +
                     of.server_name.value_or(host) + separator + of.tls12 + separator + of.tls13 +
                     separator + of.groups.value_or("") + separator + of.signatures.value_or("") +
                     separator;
  if (of.versions) text += to_string(*of.versions);
  return text;
}

}  // namespace

void seal(context_state& used) { used.seal(install_callbacks); }

void seal(context const& used) { seal(*access::state(used)); }

std::string ssl_engine::session_key() const {
  if (record_ && !record_->session_key.empty()) return record_->session_key;
  return host() + ':' + std::to_string(port_);
}

// Without a host there is nothing that tells one server from another, and an address with a zone is
// one of a link's: the same on another link is another server's.
void ssl_engine::resume_at(connection_options const& options) {
  std::string const& host = options.host;
  if (!context_->sessions() || host.empty() || host_name(host).has_zone()) return;
  port_ = options.port;
  if (!options.special) return;
  // Where no name is verified, `host` would leave an error in the middle of a handshake (T11).
  std::string const verified = options.accepts_any_name() ? std::string() : this->host();
  failures().session_key =
      verified + ':' + std::to_string(port_) + variety_of(host, *options.special);
}

void ssl_engine::offer_session() {
  session_cache& sessions = *context_->sessions();
  ssl_session_ptr const session = sessions.take(session_key(), today(ssl_.get()));
  if (!session || SSL_set_session(ssl_.get(), session.get()) != 1) return;
  if (SSL_get_verify_mode(ssl_.get()) == SSL_VERIFY_NONE) return;
  X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate &&
      verifies_today(ssl_.get(), certificate, SSL_get_peer_cert_chain(ssl_.get()))) {
    return;
  }
  // A full handshake tells what is wrong, or that nothing is any more.
  SSL_set_session(ssl_.get(), nullptr);
  sessions.forget(session_key());
}

// A session of a connection that was not verified must not stand for one that is to be.
bool ssl_engine::session_may_be_kept() const noexcept {
  if (port_ == 0) return false;
  if (context_->verify_mode() == verify::none) return true;
  return SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE &&
         SSL_get_verify_result(ssl_.get()) == X509_V_OK;
}

void ssl_engine::remember_session(SSL_SESSION* session) const noexcept {
  if (!session_may_be_kept()) return;
  try {
    context_->sessions()->put(session_key(), session);
  } catch (...) {
    // Only the short cut is lost.
  }
}

int ssl_engine::on_new_session(ssl_st* ssl, ssl_session_st* session) {
  if (ssl_engine const* const self = serving(ssl)) self->remember_session(session);
  return 0;   // we keep no reference to it
}

// Of a ticket of TLS 1.2 that is renewed at a resumption, OpenSSL tells nobody (T27).
void ssl_engine::remember_renewed_session() const noexcept {
  if (port_ == 0 || SSL_version(ssl_.get()) >= TLS1_3_VERSION) return;
  if (SSL_session_reused(ssl_.get()) == 1) remember_session(SSL_get_session(ssl_.get()));
}

}  // namespace cotls::detail
