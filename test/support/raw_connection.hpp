#pragma once

#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"

#include <cotls/context.hpp>

#include <stdexcept>
#include <string>

namespace cotls::test {

/// A client and a server that OpenSSL connects in memory: what a context means, without our engine.
class raw_connection {
 public:
  detail::ssl_ptr client;
  detail::ssl_ptr server;
  detail::openssl_error client_error;   // of the call that failed
  detail::openssl_error server_error;

  raw_connection(SSL_CTX* client_side, SSL_CTX* server_side)
      : client(SSL_new(client_side)), server(SSL_new(server_side)) {
    BIO* clients = nullptr;
    BIO* servers = nullptr;
    if (!client || !server || BIO_new_bio_pair(&clients, 0, &servers, 0) != 1) {
      throw std::runtime_error("no connection in memory");
    }
    SSL_set_bio(client.get(), clients, clients);
    SSL_set_bio(server.get(), servers, servers);
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
  }

  /// Lets each end go on once.
  void advance() {
    advance(client.get(), client_error);
    advance(server.get(), server_error);
  }

  /// Goes on until both ends are done or stuck. True when both are done and say nothing else: a
  /// client of TLS 1.3 learns only after its handshake that its certificate was refused (T7).
  bool handshake() {
    for (int round = 0; round < 10; ++round) advance();
    char unread = 0;
    detail::clear_openssl_errors();
    int const result = SSL_read(client.get(), &unread, 1);
    if (result <= 0 && client_error.code == 0) {
      client_error = detail::take_openssl_error(client.get(), result);
    }
    return SSL_is_init_finished(client.get()) && SSL_is_init_finished(server.get()) &&
           client_error.code == 0 && server_error.code == 0;
  }

  error_code client_code() const { return detail::to_error_code(client_error.code); }
  error_code server_code() const { return detail::to_error_code(server_error.code); }

  /// The protocol that the client was told of.
  std::string alpn() const {
    unsigned char const* name = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(client.get(), &name, &length);
    return {reinterpret_cast<char const*>(name), length};
  }

 private:
  static void advance(SSL* end, detail::openssl_error& failed) {
    if (failed.code != 0) return;
    detail::clear_openssl_errors();
    int const result = SSL_do_handshake(end);
    if (result == 1) return;
    failed = detail::take_openssl_error(end, result);
  }
};

}  // namespace cotls::test
