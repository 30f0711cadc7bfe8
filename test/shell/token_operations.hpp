#pragma once

// Operations, and what the peer does meanwhile. `start` starts one with a token, or with none;
// `happened` says whether the peer has seen it. Those that `wait` do so until the peer acts.

#include "pki.hpp"
#include "ssl_streams.hpp"

#include <boost/asio/detached.hpp>

#include <openssl/ssl.h>

#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

namespace cotls::test {

struct reading : connected {
  static constexpr bool waits = true;
  std::array<char, 4> text{};

  void let_peer_act() { client.async_write(asio::buffer("abcd", 4), asio::detached); }
  bool happened() const { return text[3] == 'd'; }
  template <class... Token>
  auto start(Token&&... token) {
    return server.async_read_some(asio::buffer(text), std::forward<Token>(token)...);
  }
};

struct peeking : reading {
  template <class... Token>
  auto start(Token&&... token) {
    return server.async_peek_some(asio::buffer(text), std::forward<Token>(token)...);
  }
};

struct writing : connected {
  static constexpr bool waits = false;
  std::array<char, 4> text{};

  void let_peer_act() { server.async_read_some(asio::buffer(text), asio::detached); }
  bool happened() const { return text[3] == 'd'; }
  template <class... Token>
  auto start(Token&&... token) {
    return client.async_write(asio::buffer("abcd", 4), std::forward<Token>(token)...);
  }
};

struct closing : connected {
  static constexpr bool waits = false;
  std::array<char, 4> text{};
  error_code read;

  void let_peer_act() {
    server.async_read_some(asio::buffer(text), [&](error_code code, std::size_t) { read = code; });
  }
  bool happened() const { return read == asio::error::eof; }
  template <class... Token>
  auto start(Token&&... token) {
    return client.async_close_write(std::forward<Token>(token)...);
  }
};

/// Counts the key updates that one end receives.
inline void count_key_updates(ssl_st* at, int& heard) {
  auto const note = [](int sent, int, int type, void const* said, std::size_t size, SSL*,
                       void* count) {
    bool const message = sent == 0 && type == SSL3_RT_HANDSHAKE && size > 0;
    if (message && *static_cast<unsigned char const*>(said) == SSL3_MT_KEY_UPDATE) {
      ++*static_cast<int*>(count);
    }
  };
  SSL_set_msg_callback(at, note);
  SSL_set_msg_callback_arg(at, &heard);
}

struct updating_key : connected {
  static constexpr bool waits = false;
  std::array<char, 4> text{};
  int heard = 0;

  updating_key() { count_key_updates(server.native_handle(), heard); }
  void let_peer_act() { server.async_read_some(asio::buffer(text), asio::detached); }
  bool happened() const { return heard > 0; }
  template <class... Token>
  auto start(Token&&... token) {
    return client.async_update_key(key_update::not_requested, std::forward<Token>(token)...);
  }
};

struct requesting_certificate {
  static constexpr bool waits = true;
  authority root{"root"};
  asio::io_context context;
  std::pair<tcp::socket, tcp::socket> sockets = connected_sockets(context);
  tcp_stream client{
      std::move(sockets.first),
      localhost_client()
          .use(root.issue(certificate_request({"ada"}).use(purpose::client)).identity())
          .set_late_authentication(),
      client_options().host("localhost")};
  tcp_stream server{std::move(sockets.second), localhost_server()
                                                   .set_verify(verify::optional)
                                                   .add_root(root.certificate())
                                                   .set_late_authentication()};
  std::array<char, 4> text{};

  requesting_certificate() {
    client.async_handshake(asio::detached);
    server.async_handshake(asio::detached);
    run_for(context);
  }
  void let_peer_act() { client.async_read_some(asio::buffer(text), asio::detached); }
  bool happened() const { return server.peer().verified(); }
  template <class... Token>
  auto start(Token&&... token) {
    return server.async_request_certificate(std::forward<Token>(token)...);
  }
};

struct shutting_down : connected {
  static constexpr bool waits = true;
  error_code shut = asio::error::fault;

  void let_peer_act() {
    client.async_shutdown([&](error_code code) { shut = code; });
  }
  bool happened() const { return !shut; }
  template <class... Token>
  auto start(Token&&... token) {
    return server.async_shutdown(std::forward<Token>(token)...);
  }
};

struct shaking_hands {
  static constexpr bool waits = true;
  asio::io_context context;
  std::pair<tcp::socket, tcp::socket> sockets = connected_sockets(context);
  tcp_stream client{std::move(sockets.first), localhost_client(),
                    client_options().host("localhost")};
  tcp_stream server{std::move(sockets.second), localhost_server()};
  error_code shaken = asio::error::fault;

  void let_peer_act() {
    client.async_handshake([&](error_code code) { shaken = code; });
  }
  bool happened() const { return !shaken; }
  template <class... Token>
  auto start(Token&&... token) {
    return server.async_handshake(std::forward<Token>(token)...);
  }
};

/// By TLS 1.2, in which the client is the last to be done: it may then drop its connection.
struct meeting {
  static constexpr bool waits = true;
  asio::io_context context;
  listener accepts{context.get_executor(), any_port(), localhost_server(protocol::tls1_2),
                   listener_options().stream_executor(context.get_executor())};
  client_context trust = localhost_client(protocol::tls1_2);
  tcp_stream peer;

  bool happened() const { return static_cast<bool>(peer); }
  auto keep_peer() {
    return [this](error_code code, tcp_stream made) {
      if (!code) peer = std::move(made);
    };
  }
};

struct connecting : meeting {
  void let_peer_act() { accepts.async_accept(keep_peer()); }
  template <class... Token>
  auto start(Token&&... token) {
    return async_connect(context.get_executor(), "127.0.0.1", accepts.port(), trust,
                         connect_options(), std::forward<Token>(token)...);
  }
};

struct accepting : meeting {
  void let_peer_act() {
    async_connect(context.get_executor(), "127.0.0.1", accepts.port(), trust, connect_options(),
                  keep_peer());
  }
  template <class... Token>
  auto start(Token&&... token) {
    return accepts.async_accept(std::forward<Token>(token)...);
  }
};

struct drop_in_reading {
  static constexpr bool waits = true;
  asio::io_context context;
  asio::ssl::context client_side = localhost_ssl_client();
  asio::ssl::context server_side = localhost_ssl_server();
  ssl_stream_pair pair{context, client_side, server_side};
  std::array<char, 4> text{};

  drop_in_reading() { pair.handshake(context); }
  void let_peer_act() { pair.client.async_write_some(asio::buffer("abcd", 4), asio::detached); }
  bool happened() const { return text[3] == 'd'; }
  template <class... Token>
  auto start(Token&&... token) {
    return pair.server.async_read_some(asio::buffer(text), std::forward<Token>(token)...);
  }
};

struct drop_in_updating_key : drop_in_reading {
  static constexpr bool waits = false;
  int heard = 0;

  drop_in_updating_key() { count_key_updates(pair.client.native_handle(), heard); }
  void let_peer_act() { pair.client.async_read_some(asio::buffer(text), asio::detached); }
  bool happened() const { return heard > 0; }
  template <class... Token>
  auto start(Token&&... token) {
    return pair.server.async_update_key(key_update::not_requested, std::forward<Token>(token)...);
  }
};

struct drop_in_shutting_down : drop_in_reading {
  error_code shut = asio::error::fault;

  void let_peer_act() {
    pair.client.async_shutdown([&](error_code code) { shut = code; });
  }
  bool happened() const { return !shut; }
  template <class... Token>
  auto start(Token&&... token) {
    return pair.server.async_shutdown(std::forward<Token>(token)...);
  }
};

struct drop_in_shaking_hands {
  static constexpr bool waits = true;
  asio::io_context context;
  asio::ssl::context client_side = localhost_ssl_client();
  asio::ssl::context server_side = localhost_ssl_server();
  ssl_stream_pair pair{context, client_side, server_side};
  error_code shaken = asio::error::fault;

  void let_peer_act() {
    pair.client.async_handshake(asio::ssl::stream_base::client,
                                [&](error_code code) { shaken = code; });
  }
  bool happened() const { return !shaken; }
  template <class... Token>
  auto start(Token&&... token) {
    return pair.server.async_handshake(asio::ssl::stream_base::server, asio::const_buffer(),
                                       std::forward<Token>(token)...);
  }
};

using operations =
    std::tuple<shaking_hands, reading, peeking, writing, updating_key, requesting_certificate,
               closing, shutting_down, connecting, accepting>;
using all_operations =
    std::tuple<shaking_hands, reading, peeking, writing, updating_key, requesting_certificate,
               closing, shutting_down, connecting, accepting, drop_in_shaking_hands,
               drop_in_reading, drop_in_updating_key, drop_in_shutting_down>;

/// Keeps what an operation has completed with: a connection that is dropped is reset.
template <class... Values>
class outcome {
 public:
  bool done = false;
  error_code code;
  std::tuple<Values...> values;

  auto handler() {
    return [this](error_code ended, Values... given) {
      code = ended;
      values = std::tuple<Values...>(std::move(given)...);
      done = true;
    };
  }
};

template <class Operation>
struct outcome_of {
  using type = outcome<>;
};
template <>
struct outcome_of<reading> {
  using type = outcome<std::size_t>;
};
template <>
struct outcome_of<peeking> {
  using type = outcome<std::size_t>;
};
template <>
struct outcome_of<writing> {
  using type = outcome<std::size_t>;
};
template <>
struct outcome_of<drop_in_reading> {
  using type = outcome<std::size_t>;
};
template <>
struct outcome_of<drop_in_shaking_hands> {
  using type = outcome<std::size_t>;
};
template <>
struct outcome_of<connecting> {
  using type = outcome<tcp_stream>;
};
template <>
struct outcome_of<accepting> {
  using type = outcome<tcp_stream>;
};

}  // namespace cotls::test
