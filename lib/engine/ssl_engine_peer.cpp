// Who the peer of a connection must be: the host's name, what is asked, pins, and the verifiers of the
// program. What OpenSSL finds, and they, is remembered when it ends the connection.

#include <cotls/detail/engine/ssl_engine.hpp>

#include "context/context_state.hpp"
#include "engine/dialogue.hpp"
#include "identity/host_name.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"
#include "trust/unverified.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cotls::detail {

namespace {

// What a certificate says is anybody's text.
std::string shown(std::string name) {
  constexpr std::size_t longest = 253;
  if (name.size() > longest) name.resize(longest);
  auto const is_odd = [](char each) { return each <= ' ' || each > '~'; };
  std::replace_if(name.begin(), name.end(), is_odd, '?');
  return name;
}

X509* current_certificate(X509_STORE_CTX* of) {
  X509* const current = X509_STORE_CTX_get_current_cert(of);
  return current ? current : X509_STORE_CTX_get0_cert(of);
}

std::vector<key_pin> keys_of(STACK_OF(X509)* chain) {
  std::vector<key_pin> keys;
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    keys.push_back(key_pin::of(certificate::from_native(sk_X509_value(chain, i))));
  }
  return keys;
}

std::string list_of_keys(STACK_OF(X509)* chain) {
  std::string list;
  for (key_pin const& key : keys_of(chain)) {
    list += (list.empty() ? "its keys are " : ", ") + key.text();
  }
  return list;
}

// Whom a certificate is for that was refused because it is for others: not all, if there are many.
std::string list_of_names(X509_STORE_CTX* of) {
  int const result = X509_STORE_CTX_get_error(of);
  bool const of_others =
      result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH;
  if (!of_others) return {};
  std::vector<std::string> const names =
      certificate::from_native(current_certificate(of)).names();
  if (names.empty()) return "it names no host";
  constexpr std::size_t most = 10;
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) {
    list += (i == 0 ? "it is for " : ", ") + shown(names[i]);
  }
  if (names.size() > most) list += " and " + std::to_string(names.size() - most) + " more";
  return list;
}

// What is shown of a chain to who decides on the whole.
peer_info seen_by(X509_STORE_CTX* store, bool accepted) {
  X509* const own = X509_STORE_CTX_get0_cert(store);
  std::vector<certificate> sent{certificate::from_native(own)};
  STACK_OF(X509)* const others = X509_STORE_CTX_get0_untrusted(store);
  for (int i = 0; i < sk_X509_num(others); ++i) {
    X509* const other = sk_X509_value(others, i);
    if (X509_cmp(other, own) != 0) sent.push_back(certificate::from_native(other));
  }
  std::vector<certificate> built;
  STACK_OF(X509)* const chain = X509_STORE_CTX_get0_chain(store);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    built.push_back(certificate::from_native(sk_X509_value(chain, i)));
  }
  int const result = accepted ? X509_V_OK : X509_STORE_CTX_get_error(store);
  return {std::move(sent), accepted, result, std::move(built)};
}

}  // namespace

int ssl_engine::on_verify(int accepted, X509_STORE_CTX* store) {
  ssl_engine* const self = serving(static_cast<SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())));
  if (!self) return accepted;
  return self->verify(accepted == 1, store) ? 1 : 0;
}

void ssl_engine::set_peer(connection_options const& options) {
  options.check();
  if (options.accepts_any_name()) {
    // What is verified has no name then; the host is only asked for.
  } else if (!options.host.empty()) {
    set_host(options.host, options.also_accepted);
  } else {
    bool const verifies = SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE;
    bool const named = !context_->adopted && verifies;
    // Fails closed: any trusted certificate would do otherwise.
    if (named || !options.also_accepted.empty()) throw error(errc::no_host_name);
  }
  set_server_name(options);
}

void ssl_engine::set_server_name(connection_options const& options) {
  std::string asked = options.host;
  if (options.special && options.special->server_name) asked = *options.special->server_name;
  std::string name;
  // RFC 6066 section 3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"."
  if (!asked.empty()) name = host_name(asked).name();
  if (name.empty()) return;
  clear_openssl_errors();
  if (SSL_set_tlsext_host_name(ssl_.get(), name.c_str()) == 1) return;
  throw_openssl_error(errc::unexpected_result, "asking for the server name " + name);
}

void ssl_engine::set_host(std::string const& given, std::vector<std::string> const& others) {
  host_name const host(given);
  bool set = host.require_in(SSL_get0_param(ssl_.get()));
  for (std::string const& other : others) {
    set &= host.also_accept(host_name(other), SSL_get0_param(ssl_.get()));
  }
  if (!set) throw_openssl_error(errc::unexpected_result, "setting the host name " + given);
}

// A context that is none of ours has no such setting.
std::size_t ssl_engine::max_hello() const noexcept {
  return context_ ? context_->settings().records.max_hello() : largest_max_hello;
}

std::string ssl_engine::host() const {
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl_.get());
  if (char const* name = X509_VERIFY_PARAM_get0_host(param, 0)) return name;
  std::unique_ptr<char, openssl_memory_deleter> const address(X509_VERIFY_PARAM_get1_ip_asc(param));
  if (address) return address.get();
  clear_openssl_errors();   // that there is none is an error to OpenSSL
  return {};
}

// A callback of the context's, or of a connection that was taken over, stays.
void ssl_engine::observe_verification() noexcept {
  int const mode = SSL_get_verify_mode(ssl_.get());
  if (mode == SSL_VERIFY_NONE || SSL_get_verify_callback(ssl_.get())) return;
  SSL_set_verify(ssl_.get(), mode, on_verify);
}

// Whoever says it of a connection means that its peer is verified, whatever its context takes.
void ssl_engine::set_verify_mode(int mode) noexcept {
  auto const callback = SSL_get_verify_callback(ssl_.get());
  SSL_set_verify(ssl_.get(), mode, callback == take_unverified ? on_verify : callback);
  observe_verification();
}

void ssl_engine::set_verify_depth(int depth) noexcept {
  SSL_set_verify_depth(ssl_.get(), depth);
}

void ssl_engine::set_verifier(verifier decides) {
  verifier_ = std::make_unique<verifier>(std::move(decides));
  SSL_set_verify(ssl_.get(), SSL_get_verify_mode(ssl_.get()), on_verify);
}

// What the program has accepted is verified, for its own verifier knows better than OpenSSL.
bool ssl_engine::decide(bool accepted, X509_STORE_CTX* store) {
  if (verifier_) return (*verifier_)(accepted, store);
  auto const* const decides = context_ ? context_->settings().peer.decides() : nullptr;
  if (!decides) return accepted;
  verification const seen(accepted ? X509_V_OK : X509_STORE_CTX_get_error(store),
                          X509_STORE_CTX_get_error_depth(store),
                          certificate::from_native(current_certificate(store)));
  bool const allowed = (*decides)(accepted, seen);
  if (allowed || accepted) X509_STORE_CTX_set_error(store, X509_V_OK);
  return allowed;
}

// Looks for a pinned key in a chain of which all was accepted, the peer's own certificate last.
bool ssl_engine::lacks_pinned_key(X509_STORE_CTX* store) {
  if (!context_ || context_->settings().peer.pins().empty()) return false;
  std::vector<key_pin> const& pins = context_->settings().peer.pins();
  std::vector<key_pin> const keys = keys_of(X509_STORE_CTX_get0_chain(store));
  pinned_ = std::find_first_of(keys.begin(), keys.end(), pins.begin(), pins.end()) != keys.end();
  if (!pinned_) X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
  return !pinned_;
}

// No exception may cross OpenSSL. One of the verifier's fails closed; one of the diagnosis loses no
// more than that.
bool ssl_engine::verify(bool accepted, x509_store_ctx_st* store) noexcept {
  bool const is_whole = accepted && X509_STORE_CTX_get_error_depth(store) == 0;
  bool unpinned = false;
  try {
    accepted = decide(accepted, store);
    unpinned = accepted && is_whole && lacks_pinned_key(store);
    accepted &= !unpinned;
  } catch (...) {
    accepted = false;
  }
  if (accepted) return true;
  if (X509_STORE_CTX_get_error(store) == X509_V_OK) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  }
  try {
    note_refused_certificate(store, unpinned);
  } catch (...) {
    // The certificate stays refused.
  }
  return false;
}

int ssl_engine::on_verify_chain(x509_store_ctx_st* store) {
  int const found = X509_verify_cert(store);
  ssl_engine* const self = serving(static_cast<SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())));
  bool const is_verdict = found == 0 || found == 1;   // and no failure of its own
  if (!self || !is_verdict) return found;
  return self->decide_on_chain(found == 1, store) ? 1 : 0;
}

bool ssl_engine::decide_on_chain(bool accepted, x509_store_ctx_st* store) noexcept {
  if (!context_ || !context_->settings().peer.on_chain()) return accepted;
  try {
    std::shared_ptr<asked_verdict>& about = talk().verification;
    if (!about || about->how_far() == progress::unasked || was_opened(phase_)) {
      about = question_for(context_->settings().peer.on_chain(), accepted, seen_by(store, accepted));
      talk().chain_was_accepted = accepted;
    }
    if (!is_server() && phase_ == phase::handshake) return ask_about_chain(accepted, store);
    // The program is asked later (`judge_chain`): on a server OpenSSL cannot wait for it, and of a
    // session it is not known yet whether it will be resumed.
    if (!accepted) lacks_pinned_key(store);   // which `pins_hold` wants to know
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return true;
  } catch (...) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_OUT_OF_MEM);   // it fails closed
    return false;
  }
}

// A client's OpenSSL waits when it is told to, and verifies the chain once more when it goes on.
bool ssl_engine::ask_about_chain(bool accepted, x509_store_ctx_st* store) {
  dialogue& with = talk();
  bool unpinned = false;
  try {
    if (with.verification->look() == progress::waiting) {
      with.current = with.verification;
      with.stopped_for = want::verification;
      SSL_set_retry_verify(ssl_.get());
      return true;
    }
    bool const allowed = with.verification->value();
    // They were looked for where OpenSSL had nothing against the chain.
    unpinned = allowed && !accepted && lacks_pinned_key(store);
    if (allowed && !unpinned) {
      if (!accepted) forget_refused_certificate();
      X509_STORE_CTX_set_error(store, X509_V_OK);
      return true;
    }
    if (accepted) X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    if (accepted || unpinned) note_refused_certificate(store, unpinned);
  } catch (...) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);   // internal_error
    failures().refused_as = errc::hook_failed;
    failures().fatal.remark = text_of(std::current_exception());
  }
  return false;
}

// Remembers why and where the chain was refused.
void ssl_engine::note_refused_certificate(x509_store_ctx_st* store, bool unpinned) {
  failures().refused_as = unpinned ? make_error_code(errc::no_pinned_key) : error_code();
  failure& known = failures().fatal;
  known.remark = unpinned ? list_of_keys(X509_STORE_CTX_get0_chain(store)) : list_of_names(store);
  known.verify_result = X509_STORE_CTX_get_error(store);
  known.verify_depth = X509_STORE_CTX_get_error_depth(store);
  X509* refused = X509_STORE_CTX_get_current_cert(store);
  known.verify_subject =
      refused ? certificate::from_native(refused).subject() : std::string();
}

// In TLS 1.2 no alert says that a certificate was asked for in vain: servers send one of these (RFC
// 5246 section 7.4.6 has "handshake_failure"). That we were asked shows in the authorities that the
// request names, be it none.
bool ssl_engine::missed_certificate(error_code const& failed) const noexcept {
  bool const may_be = failed == alert::handshake_failure || failed == alert::bad_certificate ||
                      failed == alert::no_certificate || failed == alert::certificate_unknown;
  if (!may_be || is_server() || phase_ != phase::refused) return false;
  return SSL_get0_peer_CA_list(ssl_.get()) && !SSL_get_certificate(ssl_.get());
}

// A chain may have been refused without an end of the connection: one of a session that was not
// resumed for it.
void ssl_engine::forget_refused_certificate() noexcept {
  if (!record_) return;
  failure& known = record_->fatal;
  known.verify_result = X509_V_OK;
  known.verify_depth = 0;
  known.verify_subject.clear();
  known.remark.clear();
  record_->refused_as.clear();
}

}  // namespace cotls::detail
