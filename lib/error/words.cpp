// What errors say, in words.

#include "error/words.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <cstdio>
#include <string_view>

namespace cotls::detail {

description describe(errc value) noexcept {
  switch (value) {
    case errc::context_sealed:
      return {"context_sealed",
              "the context is in use: change its settings before, or make another"};
    case errc::no_host_name:
      return {"no_host_name", "verification is on: give the host name to verify, or verify::none"};
    case errc::invalid_port: return {"invalid_port", "the port must be a number from 1 to 65535"};
    case errc::invalid_host_name:
      return {"invalid_host_name",
              "the host is neither a DNS name nor an IP address: check its spelling"};
    case errc::unsupported_protocol:
      return {"unsupported_protocol",
              "this OpenSSL cannot speak the protocol: ask for another, such as protocol::secure"};
    case errc::no_certificate:
      return {"no_certificate", "load both a certificate chain and its private key first"};
    case errc::key_mismatch:
      return {"key_mismatch",
              "the private key does not belong to the certificate: load the two that were made "
              "together"};
    case errc::wrong_chain_order:
      return {"wrong_chain_order",
              "the private key belongs to a later certificate of the chain: put that one first, "
              "then its issuers"};
    case errc::no_certificate_found:
      return {"no_certificate_found", "no certificate was found: check the path and the format"};
    case errc::no_private_key_found:
      return {"no_private_key_found",
              "no private key was found: check the path, the format and key_options"};
    case errc::invalid_alpn_protocol:
      return {"invalid_alpn_protocol",
              "an ALPN protocol name must have 1 to 255 bytes, and all of them fewer than 65536"};
    case errc::stream_truncated:
      return {"stream_truncated",
              "the transport ended without close_notify: treat what was received as incomplete"};
    case errc::handshake_truncated:
      return {"handshake_truncated",
              "the transport ended inside the handshake: check that the peer speaks TLS here"};
    case errc::operation_in_progress:
      return {"operation_in_progress",
              "an operation of the same kind is pending: wait until it completes"};
    case errc::write_after_close:
      return {"write_after_close", "close_notify was sent: write before closing"};
    case errc::not_connected:
      return {"not_connected", "the object was moved from or never connected: connect one first"};
    case errc::connect_timeout:
      return {"connect_timeout", "connecting took longer than its deadline"};
    case errc::handshake_timeout:
      return {"handshake_timeout", "the handshake took longer than its deadline"};
    case errc::shutdown_timeout:
      return {"shutdown_timeout", "the peer did not say goodbye before the deadline"};
    case errc::not_over:
      return {"not_over",
              "the transport is still in use by TLS: shut the connection down on both sides first"};
    case errc::read_ahead:
      return {"read_ahead",
              "bytes behind the end of TLS were read ahead: turn that off before the handshake"};
    case errc::unexpected_result:
      return {"unexpected_result", "OpenSSL asked for something that this operation cannot give"};
    case errc::no_roots:
      return {"no_roots",
              "verification is on and no roots were loaded: load the authorities to trust, or "
              "verify::none"};
    case errc::password_required:
      return {"password_required",
              "the private key is encrypted: give its password with key_options::password"};
    case errc::wrong_password:
      return {"wrong_password", "the password does not decrypt the private key"};
    case errc::invalid_setting:
      return {"invalid_setting", "no such value can be set: check its spelling"};
    case errc::overloaded:
      return {"overloaded",
              "the listener has as many handshakes in progress as it may: raise max_handshakes"};
    case errc::displaced:
      return {"displaced",
              "the handshake gave way to a newer connection: raise max_handshakes if the peer was "
              "not too slow"};
    case errc::client_hello_too_long:
      return {"client_hello_too_long",
              "the client's first message is too long: refuse the client, or allow more "
              "(set_max_client_hello)"};
    case errc::unread_data:
      return {"unread_data",
              "data of the peer's is here that has to be read before that can be done: read it, and "
              "try again"};
    case errc::handshake_not_done:
      return {"handshake_not_done",
              "no keys are agreed on before the handshake is done: do it first"};
    case errc::no_extended_master_secret:
      return {"no_extended_master_secret",
              "the peer speaks TLS 1.2 without an extended master secret, so the keys may be "
              "another connection's, too: ask for TLS 1.3"};
    case errc::no_channel_binding:
      return {"no_channel_binding",
              "this kind of channel binding is not defined for the connection: ask for another, "
              "such as tls_exporter"};
    case errc::peer_not_allowed:
      return {"peer_not_allowed",
              "the program does not allow the peer (on_established, on_client_hello and the like): it "
              "has got nothing of yours"};
    case errc::no_pinned_key:
      return {"no_pinned_key",
              "the server's chain has none of the pinned keys (set_pins): pin its new ones, if it "
              "is the server that is meant"};
    case errc::unserved_host:
      return {"unserved_host",
              "the client asked for a host that is not served: add_virtual_host, or "
              "set_unknown_host(unknown_host::serve)"};
    case errc::needs_tls_1_3:
      return {"needs_tls_1_3",
              "the connection speaks TLS 1.2, which has no such thing: ask for protocol::tls1_3"};
    case errc::invalid_ocsp_response:
      return {"invalid_ocsp_response",
              "the OCSP response does not speak for the certificate: fetch another from its "
              "authority"};
    case errc::no_ocsp_response:
      return {"no_ocsp_response",
              "the server sent no OCSP response: have it staple one, or do not require it "
              "(ocsp::ask)"};
    case errc::hook_failed:
      return {"hook_failed",
              "the program could not say what becomes of the peer: its hook has thrown an exception"};
    case errc::nothing_asked:
      return {"nothing_asked",
              "the engine has not asked that, or was answered: look at what its last step wants"};
    case errc::answer_abandoned:
      return {"answer_abandoned",
              "the handshake was given up while the program was asked (a hook): connect again"};
    case errc::invalid_session:
      return {"invalid_session",
              "the bytes are no session, or are damaged: connect without it, and keep another"};
    case errc::session_expired:
      return {"session_expired",
              "the session is too old to be resumed: connect without it, and keep another"};
    case errc::invalid_ticket_keys:
      return {"invalid_ticket_keys",
              "the bytes are no ticket keys, or are damaged: fetch them again from where they are"};
    case errc::no_public_key_found:
      return {"no_public_key_found",
              "no public key was found: give it in PEM, with BEGIN PUBLIC KEY"};
    case errc::unsupported_key:
      return {"unsupported_key",
              "this kind of key cannot sign in TLS: use one of RSA, EC, Ed25519 or Ed448"};
    case errc::signer_failed:
      return {"signer_failed",
              "the key's signer has not signed: see to what it asks for signatures"};
  }
  return {"unknown", "unknown error"};
}

description describe(alert value) noexcept {
  switch (value) {
    case alert::close_notify: return {"close_notify", "the peer closed the connection"};
    case alert::unexpected_message:
      return {"unexpected_message", "the peer received a message it did not expect"};
    case alert::bad_record_mac:
      return {"bad_record_mac", "the peer received a record that does not decrypt"};
    case alert::record_overflow:
      return {"record_overflow", "the peer received a record that is too long"};
    case alert::handshake_failure:
      return {"handshake_failure",
              "the peer finds no acceptable set of parameters: to an old one, "
              "set_ciphers(\"DEFAULT\") offers more suites"};
    case alert::no_certificate: return {"no_certificate", "the peer has no certificate"};
    case alert::bad_certificate: return {"bad_certificate", "the peer refuses the certificate"};
    case alert::unsupported_certificate:
      return {"unsupported_certificate", "the peer does not support this kind of certificate"};
    case alert::certificate_revoked:
      return {"certificate_revoked", "the peer says that the certificate was revoked"};
    case alert::certificate_expired:
      return {"certificate_expired", "the peer says that the certificate has expired"};
    case alert::certificate_unknown:
      return {"certificate_unknown", "the peer does not accept the certificate"};
    case alert::illegal_parameter:
      return {"illegal_parameter", "the peer received a value that is not allowed"};
    case alert::unknown_ca:
      return {"unknown_ca", "the peer does not trust the certificate's authority"};
    case alert::access_denied: return {"access_denied", "the peer denies access"};
    case alert::decode_error:
      return {"decode_error", "the peer received a message it cannot decode"};
    case alert::decrypt_error:
      return {"decrypt_error",
              "the peer could not verify a signature or a message of the handshake"};
    case alert::protocol_version:
      return {"protocol_version", "the peer does not support this version of the protocol"};
    case alert::insufficient_security:
      return {"insufficient_security", "the peer asks for stronger suites"};
    case alert::internal_error: return {"internal_error", "the peer failed by itself"};
    case alert::inappropriate_fallback:
      return {"inappropriate_fallback", "the peer supports a newer version than was offered"};
    case alert::user_canceled: return {"user_canceled", "the peer gave the handshake up"};
    case alert::no_renegotiation: return {"no_renegotiation", "the peer does not renegotiate"};
    case alert::missing_extension:
      return {"missing_extension", "the peer misses an extension that must be there"};
    case alert::unsupported_extension:
      return {"unsupported_extension", "the peer received an extension it did not offer"};
    case alert::unrecognized_name:
      return {"unrecognized_name", "the peer does not serve the host name asked for"};
    case alert::bad_certificate_status_response:
      return {"bad_certificate_status_response", "the peer refuses the OCSP response"};
    case alert::unknown_psk_identity:
      return {"unknown_psk_identity", "the peer does not know the pre-shared key"};
    case alert::certificate_required:
      return {"certificate_required", "the peer asks for a certificate and was given none"};
    case alert::no_application_protocol:
      return {"no_application_protocol", "the peer speaks none of the ALPN protocols offered"};
  }
  return {"", "the peer ended the connection"};
}

std::string openssl_reason(int value) {
  auto const packed = static_cast<unsigned long>(static_cast<unsigned>(value));
  if (ERR_SYSTEM_ERROR(packed)) {
    return boost::system::system_category().message(ERR_GET_REASON(packed));
  }
  // Without an SSL object in the process, nobody has loaded the texts of libssl.
  OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, nullptr);
  if (char const* reason = ERR_reason_error_string(packed)) return reason;
  char number[32];
  std::snprintf(number, sizeof number, "error %08lX", packed);
  return number;
}

namespace {

// What a refused certificate is called in a sentence.
std::string_view refused_certificate(int depth) noexcept {
  return depth == 0 ? "the peer's certificate" : "a certificate of the peer's chain";
}

}  // namespace

std::string verification_reason(int result, int depth) {
  std::string const refused(refused_certificate(depth));
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return refused + " has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return refused + " is not valid yet";
    case X509_V_ERR_CERT_REVOKED: return refused + " was revoked";
    case X509_V_ERR_HOSTNAME_MISMATCH: return refused + " is for another host name";
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return refused + " is for another IP address";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return refused + " is self-signed and not a trusted root";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "the peer's chain leads to a root that is not trusted";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "the peer's chain leads to no trusted root: the authority is unknown, or the peer "
             "does not send an intermediate certificate";
    case X509_V_ERR_CERT_UNTRUSTED: return refused + " is not trusted";
    case X509_V_ERR_CERT_REJECTED: return refused + " is marked as rejected";
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return refused + " has a wrong signature";
    case X509_V_ERR_INVALID_PURPOSE: return refused + " is not meant for this purpose";
    case X509_V_ERR_INVALID_CA: return refused + " is not an authority's, yet has signed another";
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG: return "the peer's chain is too long";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL: return refused + " has too small a key";
    case X509_V_ERR_CA_MD_TOO_WEAK: return refused + " is signed with too weak a digest";
    case X509_V_ERR_UNABLE_TO_GET_CRL: return "no revocation list was found for " + refused;
    case X509_V_ERR_CRL_HAS_EXPIRED: return "the revocation list for " + refused + " has expired";
    case X509_V_ERR_APPLICATION_VERIFICATION: return "the application refuses " + refused;
    default: return refused + " was refused: " + X509_verify_cert_error_string(result);
  }
}

char const* familiar_reason(int value) noexcept {
  auto const packed = static_cast<unsigned long>(static_cast<unsigned>(value));
  if (ERR_GET_LIB(packed) != ERR_LIB_SSL) return nullptr;
  switch (ERR_GET_REASON(packed)) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED: return "the peer's certificate was refused";
    case SSL_R_WRONG_VERSION_NUMBER: return "the peer does not speak TLS here";
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST: return "the client speaks plain HTTP";
    case SSL_R_NO_SHARED_CIPHER:
      return "the two sides share no cipher suite: set_ciphers(\"DEFAULT\") admits older ones";
    case SSL_R_NO_SUITABLE_KEY_SHARE: return "the two sides share no key exchange group";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE: return "the two sides share no version of the protocol";
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return "the client sent no certificate";
    case SSL_R_EE_KEY_TOO_SMALL: return "the certificate's key is too small for the security level";
    case SSL_R_CA_MD_TOO_WEAK: return "a certificate's digest is too weak for the security level";
    case SSL_R_NO_CIPHER_MATCH: return "the list names no cipher suite that OpenSSL knows";
    case SSL_R_EXTENSION_NOT_RECEIVED:
      return "the client allows no late authentication: set_late_authentication at its end";
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: return "a record from the peer was damaged";
    default: return nullptr;
  }
}

}  // namespace cotls::detail
