// What was agreed on by a connection, and with whom: empty until it is known.

#include <cotls/detail/engine/ssl_engine.hpp>

#include "context/context_state.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cotls::detail {

namespace {

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

// Whoever waits after he has spoken waits for an answer to that.
void ssl_engine::count_round_trip() noexcept {
  auto const said = static_cast<std::uint32_t>(BIO_number_written(SSL_get_wbio(ssl_.get())));
  if (said == said_) return;
  said_ = said;
  if (round_trips_ < 0xff) ++round_trips_;
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
  known.early_data = early_outcome();
  known.extended_master_secret = has_extended_master_secret();
  known.round_trips = round_trips_;
  // What a server of TLS 1.3 has to say fits one flight, and so what it is asked, unless it asks for
  // another hello.
  known.hello_retried = round_trips_ > 1 && SSL_version(ssl_.get()) >= TLS1_3_VERSION;
  known.bytes_received = BIO_number_read(SSL_get_rbio(ssl_.get()));
  known.bytes_sent = BIO_number_written(SSL_get_wbio(ssl_.get()));
  return known;
}

peer_info ssl_engine::peer() const { return peer_as(was_opened(phase_)); }

peer_info ssl_engine::peer_as(bool proved) const {
  std::vector<certificate> chain;
  if (X509* own = negotiated() ? SSL_get0_peer_certificate(ssl_.get()) : nullptr) {
    chain.push_back(certificate::from_native(own));
    // On a server the chain leaves out the peer's own certificate; on a client it begins with it.
    add_certificates(chain, SSL_get_peer_cert_chain(ssl_.get()), is_server() ? 0 : 1);
  }
  // A chain that was verified is anybody's until its owner has proved to have the key; and of a
  // session that is only offered, OpenSSL tells the result of the connection it is from.
  int const refused = record_ ? record_->fatal.verify_result : X509_V_OK;
  int const result = proved ? static_cast<int>(SSL_get_verify_result(ssl_.get())) : refused;
  bool const verified =
      proved && SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE && result == X509_V_OK;
  std::vector<certificate> trusted;
  // Of one that was refused, OpenSSL leaves what it had built when it gave up.
  if (verified) add_certificates(trusted, SSL_get0_verified_chain(ssl_.get()), 0);
  return peer_info(std::move(chain), verified, result, std::move(trusted), ocsp_response());
}

}  // namespace cotls::detail
