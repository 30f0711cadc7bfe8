#pragma once

#include "print.hpp"
#include "ssl_streams.hpp"

#include <boost/asio/detached.hpp>
#include <boost/beast/_experimental/test/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/websocket/error.hpp>

#include <ostream>
#include <utility>

// How Boost.Test prints Beast's errors.

namespace boost::beast {

inline std::ostream& boost_test_print_type(std::ostream& out, error value) {
  return out << make_error_code(value).message();
}

namespace http {

inline std::ostream& boost_test_print_type(std::ostream& out, error value) {
  return out << make_error_code(value).message();
}

}  // namespace http

namespace websocket {

inline std::ostream& boost_test_print_type(std::ostream& out, error value) {
  return out << make_error_code(value).message();
}

}  // namespace websocket

}  // namespace boost::beast

namespace cotls::test {

namespace beast = boost::beast;

/// Two transports that are connected: over loopback, or Beast's own in memory.
template <class Next>
std::pair<Next, Next> connected_transports(asio::io_context& context) {
  auto [client, server] = connected_sockets(context);
  return {Next(std::move(client)), Next(std::move(server))};
}
template <>
inline std::pair<beast::test::stream, beast::test::stream> connected_transports(
    asio::io_context& context) {
  beast::test::stream client(context);
  beast::test::stream server(context);
  client.connect(server);
  return {std::move(client), std::move(server)};
}

/// A client and a server over such transports, their handshakes done.
template <class Tls>
class tls_ends;

template <class Next>
class tls_ends<stream<Next>> {
  std::pair<Next, Next> transports_;

 public:
  stream<Next> client;
  stream<Next> server;

  explicit tls_ends(asio::io_context& context)
      : transports_(connected_transports<Next>(context)),
        client(std::move(transports_.first), localhost_client(),
               client_options().host("localhost")),
        server(std::move(transports_.second), localhost_server()) {
    client.async_handshake(asio::detached);
    server.async_handshake(asio::detached);
    run_for(context);
  }
};

template <class Next>
class tls_ends<ssl_stream<Next>> {
  std::pair<Next, Next> transports_;
  asio::ssl::context client_side_ = localhost_ssl_client();
  asio::ssl::context server_side_ = localhost_ssl_server();

 public:
  ssl_stream<Next> client;
  ssl_stream<Next> server;

  explicit tls_ends(asio::io_context& context)
      : transports_(connected_transports<Next>(context)),
        client(std::move(transports_.first), client_side_),
        server(std::move(transports_.second), server_side_) {
    client.async_handshake(asio::ssl::stream_base::client, asio::detached);
    server.async_handshake(asio::ssl::stream_base::server, asio::detached);
    run_for(context);
  }
};

}  // namespace cotls::test
