#pragma once

#include "tls.hpp"

#include <cotls/ssl_stream.hpp>

#include <boost/asio/ssl/context.hpp>

#include <openssl/ssl.h>

#include <utility>

namespace cotls::test {

/// A context of Asio's for a server at localhost.
inline asio::ssl::context localhost_ssl_server() {
  asio::ssl::context made(asio::ssl::context::tls_server);
  SSL_CTX_use_certificate(made.native_handle(),
                          localhost_identity().chain().leaf().native_handle());
  SSL_CTX_use_PrivateKey(made.native_handle(), localhost_identity().key().native_handle());
  return made;
}

/// Trusts the certificate of `localhost_ssl_server`, and verifies.
inline asio::ssl::context localhost_ssl_client() {
  asio::ssl::context made(asio::ssl::context::tls_client);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(made.native_handle()),
                      localhost_identity().chain().leaf().native_handle());
  made.set_verify_mode(asio::ssl::verify_peer);
  return made;
}

/// Two sockets that are connected over loopback.
inline std::pair<tcp::socket, tcp::socket> connected_sockets(asio::io_context& context) {
  tcp::acceptor acceptor(context, any_port());
  tcp::socket client(context);
  client.connect(acceptor.local_endpoint());
  return {std::move(client), acceptor.accept()};
}

/// A client and a server of the drop-in; their handshakes are still to be done.
class ssl_stream_pair {
  std::pair<tcp::socket, tcp::socket> sockets_;

 public:
  ssl_stream_pair(asio::io_context& context, asio::ssl::context& client_side,
                  asio::ssl::context& server_side)
      : sockets_(connected_sockets(context)),
        client(std::move(sockets_.first), client_side),
        server(std::move(sockets_.second), server_side) {}

  ssl_stream<tcp::socket> client;
  ssl_stream<tcp::socket> server;

  /// Shakes hands on both ends; returns how that ended, the client's end first.
  std::pair<error_code, error_code> handshake(asio::io_context& context) {
    std::pair<error_code, error_code> ended(asio::error::fault, asio::error::fault);
    client.async_handshake(client.client, [&](error_code code) { ended.first = code; });
    server.async_handshake(server.server, [&](error_code code) { ended.second = code; });
    run_for(context);
    return ended;
  }
};

}  // namespace cotls::test
