// Who the peer of a connection must be, and who it turned out to be:
//
//   host name, verification, the caller's verifier  ->  what OpenSSL checks
//   info, peer                                      <-  what was agreed on, and with whom

#include <cotls/detail/engine/ssl_engine.hpp>

#include "context/context_state.hpp"
#include "identity/host_name.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace cotls::detail {

namespace {

// Called by OpenSSL at each certificate.
int on_verify(int accepted, X509_STORE_CTX* store) {
  ssl_engine* const self = ssl_engine::serving(static_cast<SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())));
  if (!self) return accepted;
  return self->verify(accepted == 1, store) ? 1 : 0;
}

void add_certificates(std::vector<certificate>& to, STACK_OF(X509)* more, int from) {
  for (int i = from; i < sk_X509_num(more); ++i) {
    to.push_back(certificate::from_native(sk_X509_value(more, i)));
  }
}

// What a signature is made with. Names that have the curve of the key or the kind of its certificate
// in them (`ecdsa_secp256r1_sha256`) OpenSSL tells since 3.5 alone.
std::string signature_name(int algorithm, int digest) {
  std::string name;
  switch (algorithm) {
    case NID_rsaEncryption: name = "rsa_pkcs1"; break;
    case NID_rsassaPss: name = "rsa_pss"; break;
    case NID_X9_62_id_ecPublicKey: name = "ecdsa"; break;
    default: name = OBJ_nid2sn(algorithm);   // ED25519, ED448, DSA, and what is yet to come
  }
  if (digest != NID_undef) name = name + '_' + OBJ_nid2sn(digest);
  std::transform(name.begin(), name.end(), name.begin(), [](char each) {
    return each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each;
  });
  return name;
}

std::string own_signature(SSL* of) {
  int algorithm = NID_undef;
  int digest = NID_undef;
  if (SSL_get_signature_type_nid(of, &algorithm) != 1) return {};
  SSL_get_signature_nid(of, &digest);
  return signature_name(algorithm, digest);
}

std::string peer_signature(SSL* of) {
  int algorithm = NID_undef;
  int digest = NID_undef;
  if (SSL_get_peer_signature_type_nid(of, &algorithm) != 1) return {};
  SSL_get_peer_signature_nid(of, &digest);
  return signature_name(algorithm, digest);
}

}  // namespace

void ssl_engine::set_host(std::string const& given) {
  host_name const host(given);
  bool set = host.require_in(SSL_get0_param(ssl_.get()));
  // RFC 6066 section 3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"."
  if (!host.address()) set &= SSL_set_tlsext_host_name(ssl_.get(), host.name().c_str()) == 1;
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
}

// Until the server has answered, what OpenSSL says is of the session that is offered, and of the
// versions that are possible. Without a session it crashes when it is asked for the group (T22).
bool ssl_engine::negotiated() const noexcept {
  if (!SSL_get_session(ssl_.get())) return false;
  OSSL_HANDSHAKE_STATE const at = SSL_get_state(ssl_.get());
  bool const unanswered =
      at == TLS_ST_BEFORE || at == TLS_ST_CW_CLNT_HELLO || at == TLS_ST_CR_SRVR_HELLO;
  return was_opened(phase_) || !unanswered;
}

// RFC 8446 appendix D: "implementations which support both TLS 1.3 and earlier versions SHOULD
// indicate the use of the Extended Master Secret extension in their APIs whenever TLS 1.3 is used."
bool ssl_engine::has_extended_master_secret() const noexcept {
  if (!was_opened(phase_)) return false;
  return SSL_version(ssl_.get()) >= TLS1_3_VERSION || SSL_get_extms_support(ssl_.get()) == 1;
}

connection_info ssl_engine::info() const {
  connection_info known;
  SSL_CIPHER const* const suite = negotiated() ? SSL_get_current_cipher(ssl_.get()) : nullptr;
  if (suite) {
    known.version = SSL_get_version(ssl_.get());
    known.suite = SSL_CIPHER_get_name(suite);
    // The macro SSL_get_negotiated_group is a control whose result is the group's number.
    auto const group = static_cast<int>(SSL_get_negotiated_group(ssl_.get()));
    char const* const name = group > 0 ? SSL_group_to_name(ssl_.get(), group) : nullptr;
    if (name) known.group = name;
    known.signature = own_signature(ssl_.get());
    known.peer_signature = peer_signature(ssl_.get());
  }
  unsigned char const* protocol = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl_.get(), &protocol, &length);
  if (length > 0) known.alpn.assign(reinterpret_cast<char const*>(protocol), length);
  if (char const* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name)) {
    known.server_name = name;
  }
  known.resumed = SSL_session_reused(ssl_.get()) == 1;
  known.extended_master_secret = has_extended_master_secret();
  known.bytes_received = BIO_number_read(SSL_get_rbio(ssl_.get()));
  known.bytes_sent = BIO_number_written(SSL_get_wbio(ssl_.get()));
  return known;
}

peer_info ssl_engine::peer() const {
  std::vector<certificate> chain;
  if (X509* own = negotiated() ? SSL_get0_peer_certificate(ssl_.get()) : nullptr) {
    chain.push_back(certificate::from_native(own));
    // On a server the chain leaves out the peer's own certificate; on a client it begins with it.
    add_certificates(chain, SSL_get_peer_cert_chain(ssl_.get()), is_server() ? 0 : 1);
  }
  // A chain that was verified is anybody's until its owner has proved to have the key; and of a
  // session that is only offered, OpenSSL tells the result of the connection it is from.
  bool const open = was_opened(phase_);
  int const refused = record_ ? record_->fatal.verify_result : X509_V_OK;
  int const result = open ? static_cast<int>(SSL_get_verify_result(ssl_.get())) : refused;
  bool const verified =
      open && SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE && result == X509_V_OK;
  std::vector<certificate> trusted;
  // Of one that was refused, OpenSSL leaves what it had built when it gave up.
  if (verified) add_certificates(trusted, SSL_get0_verified_chain(ssl_.get()), 0);
  return peer_info(std::move(chain), verified, result, std::move(trusted));
}

}  // namespace cotls::detail
