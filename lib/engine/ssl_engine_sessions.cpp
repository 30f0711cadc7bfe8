// A client's sessions: what a server gave in an earlier connection, or the program has kept, is
// offered to the same one, after it was verified once more (T3, T26). A context is sealed with the
// callback that brings them; a server's, with what tells its sessions from those of others.

#include <cotls/detail/engine/ssl_engine.hpp>

#include <cotls/detail/support/access.hpp>

#include "context/context_state.hpp"
#include "engine/last_word.hpp"
#include "engine/seal.hpp"
#include "identity/host_name.hpp"
#include "openssl/openssl_error.hpp"
#include "session/resumption.hpp"
#include "session/session_body.hpp"
#include "session/session_notes.hpp"
#include "session/ticket_encryption.hpp"
#include "settings/version_range.hpp"

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace cotls::detail {

namespace {

// Whose sessions are whose. Where keys or a store are shared, it is by the names that certificates
// are for, which clients have verified; whoever has the keys is trusted with the rest.
void tell_sessions_apart(context_state& servers) {
  if (!servers.adopted) heed_given_ticket_keys(servers.handle());
  X509* const leaf = servers.settings().identity.leaf(servers.handle());
  if (servers.adopted || !servers.settings().sessions.are_shared()) return;
  std::vector<std::string> names;   // none where the program chooses a certificate each time
  if (leaf) names = certificate::from_native(leaf).names();
  std::sort(names.begin(), names.end());
  std::string text;
  for (std::string const& name : names) text += name + '\n';
  std::array<unsigned char, SSL_MAX_SID_CTX_LENGTH> id{};
  unsigned size = 0;
  clear_openssl_errors();
  bool const set =
      EVP_Digest(text.data(), text.size(), id.data(), &size, EVP_sha256(), nullptr) == 1 &&
      SSL_CTX_set_session_id_context(servers.handle(), id.data(), size) == 1;
  if (!set) throw_openssl_error(errc::unexpected_result, "telling sessions apart");
}

// A callback of the program's stays, but for one in whose place it has given another.
void install_callbacks(context_state& to) {
  SSL_CTX* const context = to.handle();
  bool const ours = to.end == role::client && !to.adopted;
  if (ours && !SSL_CTX_sess_get_new_cb(context)) {
    SSL_CTX_sess_set_new_cb(context, ssl_engine::on_new_session);
  }
  if (to.end == role::server) tell_sessions_apart(to);
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
  auto const& early = to.settings().sessions.early_data();
  if (early && early->rule()) {
    SSL_CTX_set_allow_early_data_cb(context, ssl_engine::on_early_data, nullptr);
  }
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

// A server may refuse a session with a suite that was not offered to it.
bool offers_suite_of(SSL* connection, SSL_SESSION* session) {
  SSL_CIPHER const* const suite = SSL_SESSION_get0_cipher(session);
  STACK_OF(SSL_CIPHER)* const offered = SSL_get_ciphers(connection);
  for (int i = 0; suite && i < sk_SSL_CIPHER_num(offered); ++i) {
    if (SSL_CIPHER_get_id(sk_SSL_CIPHER_value(offered, i)) == SSL_CIPHER_get_id(suite)) return true;
  }
  return false;
}

}  // namespace

void seal(context_state& used) { used.seal(install_callbacks); }

void seal(context const& used) { seal(*access::state(used)); }

bool ssl_engine::is_remembered() const noexcept {
  bool const here = context_ && context_->sessions() && !context_->settings().sessions.store();
  return here && names_server_ && port_ != 0;
}

std::string ssl_engine::session_key() const {
  bool const special = record_ && !record_->variety.empty();
  std::string const server = special ? record_->server : host();
  return server + ':' + std::to_string(port_) + (special ? record_->variety : std::string());
}

session_origin ssl_engine::origin_of_sessions() const {
  bool const special = record_ && !record_->variety.empty();
  detail::settings const& set = context_->settings();
  session_origin origin;
  origin.server = special ? record_->server : host();
  if (special) origin.variety = record_->variety;
  origin.port = port_;
  origin.identity = set.identity.digest(context_->handle());
  origin.ocsp = static_cast<std::uint8_t>(set.ocsp.wanted());
  origin.verified = SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE &&
                    SSL_get_verify_result(ssl_.get()) == X509_V_OK;   // before there is one, too
  return origin;
}

// Without a host there is nothing that tells one server from another, and an address with a zone is
// one of a link's: the same on another link is another server's.
void ssl_engine::resume_at(connection_options const& options) {
  std::string const& host = options.host;
  if (host.empty() || host_name(host).has_zone()) return;
  names_server_ = true;
  port_ = options.port;
  if (!options.special) return;
  special_options const& special = *options.special;
  if (special.session) failures().offered = special.session;
  if (!special.has_variety()) return;
  // Where no name is verified, `host` would leave an error in the middle of a handshake (T11).
  record& known = failures();
  known.server = options.accepts_any_name() ? std::string() : this->host();
  known.variety = variety_of(host, special);
}

void ssl_engine::offer_sessions() {
  if (offer_given_session() || !is_remembered()) return;
  session_cache& sessions = *context_->sessions();
  ssl_session_ptr const session = sessions.take(session_key(), today(ssl_.get()));
  // A full handshake tells what is wrong, or that nothing is any more.
  if (session && !offer_session(session.get())) sessions.forget(session_key());
}

bool ssl_engine::offer_given_session() {
  if (!record_ || !record_->offered) return false;
  session_body const& given = *record_->offered->body();
  bool const fits = origin_of_sessions().may_resume(given.origin()) &&
                    is_fresh(given.native(), today(ssl_.get())) &&
                    offers_suite_of(ssl_.get(), given.native());
  ssl_session_ptr const session = fits ? given.copy() : nullptr;
  if (!session || !offer_session(session.get())) return false;
  if (given.claim()) return true;
  SSL_set_session(ssl_.get(), nullptr);
  return false;
}

// Whether it is OpenSSL and the context alone who verify, as for any other connection of its.
bool ssl_engine::verifies_as_all_do() const noexcept {
  if (handle_was_lent_.load(std::memory_order_relaxed) || verifier_) return false;
  if (context_->adopted || context_->is_lent()) return false;
  // A certificate for another name would do for this connection alone.
  if (X509_VERIFY_PARAM_get0_host(SSL_get0_param(ssl_.get()), 1)) return false;
  peer_settings const& peer = context_->settings().peer;
  return !peer.decides() && !peer.on_chain() && peer.pins().empty();
}

// Offers what would be accepted today of a server that were to show its chain now. Of a certificate
// that was verified within the last minute, by another connection of the same kind, that is known: a
// chain costs more than the rest of the handshake.
bool ssl_engine::offer_session(SSL_SESSION* session) {
  if (context_->settings().sessions.told()) failures().resumes = session;
  if (SSL_set_session(ssl_.get(), session) != 1) return false;
  if (SSL_get_verify_mode(ssl_.get()) == SSL_VERIFY_NONE) return true;
  X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl_.get());
  auto const notes = session_notes::of(session);
  x509_stack_ptr const others = notes && !chain ? notes->others() : nullptr;
  if (others) chain = others.get();
  bool const is_usual = certificate && is_remembered() && verifies_as_all_do();
  if (is_usual && context_->sessions()->was_verified(session_key(), certificate)) return true;
  bool lasting = false;
  if (certificate && verifies_today(ssl_.get(), certificate, chain, &lasting)) {
    if (is_usual && lasting) context_->sessions()->note_verified(session_key(), certificate);
    return true;
  }
  SSL_set_session(ssl_.get(), nullptr);
  return false;
}

// A session of a connection that was not verified must not stand for one that is to be.
bool ssl_engine::session_may_be_kept() const noexcept {
  if (!names_server_) return false;
  if (context_->verify_mode() == verify::none) return true;
  return SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE &&
         SSL_get_verify_result(ssl_.get()) == X509_V_OK;
}

// What fails, or the program throws, costs only the short cut.
void ssl_engine::remember_session(SSL_SESSION* session) const noexcept {
  if (!session_may_be_kept()) return;
  try {
    if (is_remembered()) context_->sessions()->put(session_key(), session);
    session_settings const& set = context_->settings().sessions;
    bool const is_stored = set.store() && port_ != 0;
    if (!set.told() && !is_stored) return;
    auto body = session_body::make(ssl_.get(), session, origin_of_sessions());
    if (!body) return;
    cotls::session const newest(std::move(body));
    if (is_stored) store_session(newest);
    if (set.told()) (*set.told())(newest);
  } catch (...) {
  }
}

int ssl_engine::on_new_session(ssl_st* ssl, ssl_session_st* session) {
  if (ssl_engine* const self = serving(ssl)) {
    self->session_came_ = true;
    self->remember_session(session);
  }
  return 0;   // we keep no reference to it
}

// Of a ticket of TLS 1.2 that is renewed at a resumption, OpenSSL tells nobody (T27), but has
// another session then.
void ssl_engine::remember_renewed_session() noexcept {
  if (!names_server_ || session_came_ || SSL_version(ssl_.get()) >= TLS1_3_VERSION) return;
  SSL_SESSION* const newest = SSL_get_session(ssl_.get());
  if (SSL_session_reused(ssl_.get()) == 0) return;
  session_came_ = true;
  bool const is_same = record_ && record_->resumes == newest;
  if (!is_same || context_->settings().sessions.store()) remember_session(newest);
}

// Of TLS 1.3, the session that was resumed is used up; that another has come shows in nothing else.
std::optional<cotls::session> ssl_engine::session() const {
  SSL_SESSION* const newest = was_opened(phase_) && !is_server() ? SSL_get_session(ssl_.get())
                                                                 : nullptr;
  if (!newest || !context_ || !session_may_be_kept()) return std::nullopt;
  bool const used_up = SSL_version(ssl_.get()) >= TLS1_3_VERSION && !session_came_ &&
                       SSL_session_reused(ssl_.get()) == 1;
  if (used_up) return std::nullopt;
  auto body = session_body::make(ssl_.get(), newest, origin_of_sessions());
  if (!body) return std::nullopt;
  return cotls::session(std::move(body));
}

}  // namespace cotls::detail
