// The program's last word on a connection, when OpenSSL has done its part, and nothing was read or
// written:
//
//   SSL_do_handshake succeeds -> conclude: the chain, pins, on_established -> open
//                                   |
//                                   +--> refuse: the peer is told, the session forgotten -> refused
//
// A client that is asked for its certificate later is judged again when it has answered: then the
// connection has failed.

#include <cotls/detail/engine/ssl_engine.hpp>

#include "context/context_state.hpp"
#include "engine/dialogue.hpp"
#include "engine/last_word.hpp"
#include "openssl/openssl_error.hpp"
#include "session/resumption.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
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
  if (!self || !self->refusal()) return 0;   // there is none
  *alert = static_cast<int>(*self->refusal());
  return -1;
}

// OpenSSL begins no renegotiation over data that is here and was not read.
void discard_what_came(SSL* ssl) noexcept {
  std::array<std::byte, 4096> unwanted;
  std::size_t size = 0;
  for (int i = 0; i < 16 && SSL_has_pending(ssl) == 1; ++i) {
    if (SSL_read_ex(ssl, unwanted.data(), unwanted.size(), &size) != 1) break;
  }
}

error_code chain_refused() noexcept {
  return {static_cast<int>(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_CERTIFICATE_VERIFY_FAILED)),
          openssl_category()};
}

// What OpenSSL says itself to whom it refuses (`X509_V_…`).
alert alert_for(int verify_result) noexcept {
  switch (verify_result) {
    case X509_V_ERR_APPLICATION_VERIFICATION: return alert::handshake_failure;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CRL_HAS_EXPIRED: return alert::certificate_expired;
    case X509_V_ERR_CERT_REVOKED: return alert::certificate_revoked;
    case X509_V_ERR_INVALID_PURPOSE: return alert::unsupported_certificate;
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: return alert::unknown_ca;
    default: return alert::bad_certificate;
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

// OpenSSL has done its part. What it has sent last would tell the peer that it was accepted: while
// the program is being asked it stays here, and so do the tickets of TLS 1.3 (T1). Nothing is read or
// written before all of it is answered.
step ssl_engine::conclude() noexcept {
  try {
    step asked = judge_chain();
    bool goes_on = !asked.error && asked.want == want::nothing;
    if (goes_on && !pins_hold()) return refuse(errc::no_pinned_key, {}, alert::access_denied);
    if (goes_on) asked = judge_established();
    goes_on = !asked.error && asked.want == want::nothing;
    if (asked.want != want::nothing && !judges_late_answer()) {
      withhold();
      phase_ = phase::question;
    }
    if (!goes_on) return asked;
  } catch (...) {
    // For want of memory it fails closed.
    return refuse(make_error_code(boost::system::errc::not_enough_memory), {},
                  alert::internal_error);
  }
  let_go();
  send_tickets();
  return {};
}

// What OpenSSL found of the chain was held back, or it was another handshake's: of a resumed one.
step ssl_engine::judge_chain() {
  auto const about = record_ && record_->dialogue ? record_->dialogue->verification : nullptr;
  bool const resumed = SSL_session_reused(ssl_.get()) == 1;
  if (!about || (!is_server() && !resumed) || !SSL_get0_peer_certificate(ssl_.get())) return {};
  step const asked = ask(about, want::verification);
  if (asked.error || asked.want != want::nothing) return asked;
  try {
    if (about->value()) {
      forget_refused_certificate();
      return {};
    }
  } catch (...) {
    return refuse(errc::hook_failed, text_of(std::current_exception()), alert::internal_error);
  }
  failure& known = failures().fatal;
  if (record_->dialogue->chain_was_accepted) {
    known.verify_result = X509_V_ERR_APPLICATION_VERIFICATION;
    known.verify_depth = 0;
    known.verify_subject = peer().subject();
  }
  return refuse(chain_refused(), known.remark, alert_for(known.verify_result));
}

step ssl_engine::judge_established() {
  auto const& by = context_->settings().peer.established();
  if (!by) return {};
  dialogue& with = talk();
  if (!with.established) with.established = question_for(by, peer(), info());
  step const asked = ask(with.established, want::established);
  if (asked.error || asked.want != want::nothing) return asked;
  try {
    if (with.established->value()) return {};
  } catch (...) {
    return refuse(errc::hook_failed, text_of(std::current_exception()), alert::internal_error);
  }
  return refuse(errc::peer_not_allowed, {}, alert::access_denied);
}

step ssl_engine::refuse(error_code why, std::string remark, alert told) noexcept {
  if (!judges_late_answer()) phase_ = phase::refused;   // otherwise it was good, and has failed
  say_why(told);
  forget_session(ssl_.get());
  step const refused = fail(why, status::unclassified);
  if (record_) record_->fatal.remark = std::move(remark);
  return refused;
}

// OpenSSL has no call that sends an alert. A server's last words of TLS 1.2 are still here: an alert
// leaves in their place, which the client expects without encryption. Otherwise a callback that is
// asked for an extension may answer with an alert, which OpenSSL then sends: on a server of TLS 1.3
// it is asked for each ticket, and on a client for its hello, with which before TLS 1.3 it would
// renegotiate. The others say close_notify, which OpenSSL does not after an alert.
void ssl_engine::say_why(alert told) noexcept {
  SSL* const ssl = ssl_.get();
  bool asked = false;
  try {
    withhold();
    dialogue& with = talk();
    record_->refusal = told;
    if (is_server() && SSL_version(ssl) < TLS1_3_VERSION && !with.withheld.empty()) {
      with.withheld.clear();
      auto const said = plaintext_alert(told);
      channel_->send(said.data(), said.size());
      return;
    }
  } catch (std::bad_alloc const&) {
    // It is told less.
  }
  let_go();
  if (SSL_version(ssl) >= TLS1_3_VERSION) {
    asked = is_server() && SSL_new_session_ticket(ssl) == 1;
  } else if (!is_server()) {
    SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
    discard_what_came(ssl);
    asked = SSL_renegotiate(ssl) == 1;
  }
  if (asked) SSL_do_handshake(ssl);
  SSL_shutdown(ssl);
  clear_openssl_errors();
}

void ssl_engine::withhold() {
  std::vector<std::byte> const sent = channel_->retract();
  if (sent.empty()) return;
  std::vector<std::byte>& kept = talk().withheld;
  kept.insert(kept.end(), sent.begin(), sent.end());
}

void ssl_engine::let_go() noexcept {
  if (!record_ || !record_->dialogue) return;
  std::vector<std::byte> const sent = std::exchange(record_->dialogue->withheld, {});
  if (!sent.empty()) channel_->send(sent.data(), sent.size());
}

// Where the program has the last word, OpenSSL gives its client no ticket by itself.
void ssl_engine::hold_tickets() noexcept {
  if (has_last_word()) SSL_set_num_tickets(ssl_.get(), 0);
}

// As many as OpenSSL would: one at the most to a client that has resumed.
void ssl_engine::send_tickets() noexcept {
  SSL* const ssl = ssl_.get();
  if (!is_server() || SSL_version(ssl) < TLS1_3_VERSION) return;
  std::size_t count = SSL_CTX_get_num_tickets(SSL_get_SSL_CTX(ssl));
  if (SSL_session_reused(ssl) == 1) count = std::min<std::size_t>(count, 1);
  if (count == 0) return;
  while (count > 0 && SSL_new_session_ticket(ssl) == 1) --count;
  SSL_do_handshake(ssl);
  clear_openssl_errors();
}

}  // namespace cotls::detail
