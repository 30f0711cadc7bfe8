// Who the peer of a connection must be, and who it turned out to be:
//
//   host name, verification, the caller's verifier  ->  what OpenSSL checks
//   sessions of earlier connections                 ->  what is offered, and remembered
//   info, peer                                      <-  what was agreed on, and with whom

#include <cotls/detail/ssl_engine.hpp>

#include "context_state.hpp"
#include "openssl_error.hpp"
#include "openssl_ptr.hpp"

#include <boost/asio/ip/address.hpp>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <utility>

namespace cotls::detail {

namespace {

// Null for a connection that others have made with a context of ours, or given another BIO.
ssl_engine* engine_of(SSL const* ssl) {
  channel* const over = channel_of(SSL_get_rbio(ssl));
  return over ? over->owner : nullptr;
}

// Called by OpenSSL at each certificate.
int on_verify(int accepted, X509_STORE_CTX* store) {
  ssl_engine* const self = engine_of(static_cast<SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())));
  if (!self) return accepted;
  return self->verify(accepted == 1, store) ? 1 : 0;
}

// A DNS name may be written with a final dot; neither SNI (RFC 6066 section 3) nor certificates
// (RFC 5280 section 4.2.1.6) have it.
std::string_view without_final_dot(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

bool is_address(std::string const& host) {
  error_code failed;
  asio::ip::make_address(host, failed);
  return !failed;
}

}  // namespace

void ssl_engine::check_host(std::string_view given) {
  std::string_view const host = without_final_dot(given);
  if (host.empty() || host.size() > TLSEXT_MAXLEN_host_name ||
      host.find('\0') != std::string_view::npos) {
    throw error(errc::invalid_host_name);
  }
}

void ssl_engine::set_host(std::string_view given) {
  check_host(given);
  std::string const host(without_final_dot(given));
  bool set = false;
  if (is_address(host)) {
    // RFC 6066 section 3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"."
    set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host.c_str()) == 1;
  } else {
    SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    set = SSL_set1_host(ssl_.get(), host.c_str()) == 1 &&
          SSL_set_tlsext_host_name(ssl_.get(), host.c_str()) == 1;
  }
  if (!set) throw_openssl_error(errc::invalid_host_name, "setting the host name " + host);
}

std::string ssl_engine::host() const {
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl_.get());
  if (char const* name = X509_VERIFY_PARAM_get0_host(param, 0)) return name;
  std::unique_ptr<char, openssl_memory_deleter> const address(X509_VERIFY_PARAM_get1_ip_asc(param));
  return address ? address.get() : std::string();
}

// A callback of the context's, or of a connection that was taken over, stays.
void ssl_engine::set_verify_mode(int mode) noexcept {
  auto const callback = SSL_get_verify_callback(ssl_.get());
  bool const observed = mode != SSL_VERIFY_NONE && !callback;
  SSL_set_verify(ssl_.get(), mode, observed ? on_verify : callback);
}

void ssl_engine::set_verify_depth(int depth) noexcept {
  SSL_set_verify_depth(ssl_.get(), depth);
}

void ssl_engine::set_verifier(verifier decides) {
  verifier_ = std::make_unique<verifier>(std::move(decides));
  SSL_set_verify(ssl_.get(), SSL_get_verify_mode(ssl_.get()), on_verify);
}

// No exception may cross OpenSSL. One of the verifier's fails closed; one of the diagnosis loses no
// more than that.
bool ssl_engine::verify(bool accepted, x509_store_ctx_st* store) noexcept {
  try {
    if (verifier_) accepted = (*verifier_)(accepted, store);
  } catch (...) {
    accepted = false;
  }
  if (accepted) return true;
  if (X509_STORE_CTX_get_error(store) == X509_V_OK) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  }
  try {
    note_refused_certificate(store);
  } catch (...) {
    // The certificate stays refused.
  }
  return false;
}

// Remembers why and where the chain was refused.
void ssl_engine::note_refused_certificate(x509_store_ctx_st* store) {
  failure& known = failures().fatal;
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
  if (!may_be || is_server() || handshake_done_) return false;
  return SSL_get0_peer_CA_list(ssl_.get()) && !SSL_get_certificate(ssl_.get());
}

std::string ssl_engine::session_key() const { return host() + ':' + std::to_string(port_); }

// Without a host there is nothing that tells one server from another.
void ssl_engine::resume_at(std::uint16_t port) {
  if (!context_->sessions() || host().empty()) return;
  port_ = port;
  ssl_session_ptr const session = context_->sessions()->take(session_key());
  if (session) SSL_set_session(ssl_.get(), session.get());
}

int ssl_engine::on_new_session(ssl_st* ssl, ssl_session_st* session) {
  ssl_engine const* const self = engine_of(ssl);
  try {
    if (self && self->port_ != 0) self->context_->sessions()->put(self->session_key(), session);
  } catch (...) {
    // Only the short cut is lost.
  }
  return 0;   // we keep no reference to it
}

connection_info ssl_engine::info() const {
  connection_info known;
  known.version = SSL_get_version(ssl_.get());
  if (SSL_CIPHER const* suite = SSL_get_current_cipher(ssl_.get())) {
    known.suite = SSL_CIPHER_get_name(suite);
  }
  // The macro SSL_get_negotiated_group is a control whose result is the group's number.
  auto const group = static_cast<int>(SSL_get_negotiated_group(ssl_.get()));
  if (char const* name = group > 0 ? SSL_group_to_name(ssl_.get(), group) : nullptr) {
    known.group = name;
  }
  unsigned char const* protocol = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl_.get(), &protocol, &length);
  if (length > 0) known.alpn.assign(reinterpret_cast<char const*>(protocol), length);
  if (char const* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name)) {
    known.server_name = name;
  }
  known.resumed = SSL_session_reused(ssl_.get()) == 1;
  return known;
}

peer_info ssl_engine::peer() const {
  std::vector<certificate> chain;
  if (X509* own = SSL_get0_peer_certificate(ssl_.get())) {
    chain.push_back(certificate::from_native(own));
    // On a server the chain leaves out the peer's own certificate; on a client it begins with it.
    STACK_OF(X509)* sent = SSL_get_peer_cert_chain(ssl_.get());
    for (int i = is_server() ? 0 : 1; i < sk_X509_num(sent); ++i) {
      chain.push_back(certificate::from_native(sk_X509_value(sent, i)));
    }
  }
  bool const verified = !chain.empty() && SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE &&
                        SSL_get_verify_result(ssl_.get()) == X509_V_OK;
  return peer_info(std::move(chain), verified);
}

}  // namespace cotls::detail
