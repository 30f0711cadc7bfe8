#include "settings.hpp"

#include "require.hpp"

#include <openssl/ssl.h>

namespace bench {

namespace {

struct names {
  char const* shown;
  char const* tls1_2;
  char const* tls1_3;
};

names names_of(suite value) noexcept {
  switch (value) {
    case suite::aes_128_gcm:
      return {"AES-128-GCM", "ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256"};
    case suite::aes_256_gcm:
      return {"AES-256-GCM", "ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_AES_256_GCM_SHA384"};
    case suite::chacha20_poly1305:
      return {"ChaCha20", "ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_CHACHA20_POLY1305_SHA256"};
  }
  return {};
}

int number_of(version value) noexcept {
  return value == version::tls1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

void set_up(SSL_CTX* context, settings const& given) {
  names const named = names_of(given.cipher);
  int const number = number_of(given.protocol);
  require(SSL_CTX_set_min_proto_version(context, number) == 1 &&
              SSL_CTX_set_max_proto_version(context, number) == 1 &&
              SSL_CTX_set_cipher_list(context, named.tls1_2) == 1 &&
              SSL_CTX_set_ciphersuites(context, named.tls1_3) == 1,
          "OpenSSL refuses the settings");
}

}  // namespace

std::string to_string(version value) { return value == version::tls1_2 ? "TLSv1.2" : "TLSv1.3"; }

std::string to_string(suite value) { return names_of(value).shown; }

suite_lists suites_of(settings const& given) {
  names const named = names_of(given.cipher);
  return {named.tls1_2, named.tls1_3};
}

cotls::protocol protocol_of(settings const& given) noexcept {
  return given.protocol == version::tls1_2 ? cotls::protocol::tls1_2 : cotls::protocol::tls1_3;
}

void set_up_server(SSL_CTX* context, settings const& given) {
  set_up(context, given);
  require(SSL_CTX_use_certificate(context, given.own->chain().leaf().native_handle()) == 1 &&
              SSL_CTX_use_PrivateKey(context, given.own->key().native_handle()) == 1,
          "OpenSSL refuses the identity");
}

void set_up_client(SSL_CTX* context, settings const& given) {
  set_up(context, given);
  X509_STORE* const roots = SSL_CTX_get_cert_store(context);
  require(X509_STORE_add_cert(roots, given.own->chain().leaf().native_handle()) == 1,
          "OpenSSL refuses the root");
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
}

void set_up_host(SSL* connection) {
  require(SSL_set1_host(connection, host_name) == 1 &&
              SSL_set_tlsext_host_name(connection, host_name) == 1,
          "OpenSSL refuses the host name");
}

void check_negotiated(SSL const* connection, settings const& given) {
  if (!connection) return;
  names const named = names_of(given.cipher);
  std::string const chosen = SSL_CIPHER_get_name(SSL_get_current_cipher(connection));
  require(SSL_version(connection) == number_of(given.protocol), "another version was negotiated");
  require(chosen == (given.protocol == version::tls1_2 ? named.tls1_2 : named.tls1_3),
          "another suite was negotiated");
  if (SSL_is_server(connection) == 1) return;
  require(SSL_get0_peer_certificate(connection) && SSL_get_verify_result(connection) == X509_V_OK,
          "the server was not verified");
}

}  // namespace bench
