#pragma once

#include "tls.hpp"

#include <cotls/engine.hpp>
#include <cotls/incoming.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

namespace cotls::test {

using namespace asio::experimental::awaitable_operators;

inline client_options to_localhost() { return client_options().host("localhost"); }

/// A client without a socket, whose first flight a test may take apart.
class raw_client {
 public:
  explicit raw_client(client_context const& context = localhost_client(),
                      client_options const& options = to_localhost())
      : engine_(context, options) {
    engine_.handshake();
    auto const output = engine_.output();
    hello_.assign(static_cast<char const*>(output.data()), output.size());
    engine_.consume_output(output.size());
  }

  std::string const& hello() const noexcept { return hello_; }

  /// The hello in records of so many bytes each.
  std::string hello_in_records(std::size_t size) const {
    std::string message;
    for (std::size_t at = 0; at < hello_.size();) {
      std::size_t const length = static_cast<std::size_t>(byte(at + 3)) << 8 | byte(at + 4);
      message += hello_.substr(at + 5, length);
      at += 5 + length;
    }
    std::string records;
    for (std::size_t at = 0; at < message.size(); at += size) {
      std::string const piece = message.substr(at, size);
      records += "\x16\x03\x01";
      records += static_cast<char>(piece.size() >> 8);
      records += static_cast<char>(piece.size() & 0xff);
      records += piece;
    }
    return records;
  }

  /// Goes on with the handshake over a socket, and reads one byte.
  asio::awaitable<char> finish(tcp::socket& socket) {
    char one = 0;
    for (bool done = false;;) {
      step const next = done ? engine_.read(asio::buffer(&one, 1)) : engine_.handshake();
      co_await asio::async_write(socket, engine_.output(), asio::use_awaitable);
      engine_.consume_output(engine_.output().size());
      if (next.error) throw boost::system::system_error(next.error);
      if (done && next.bytes == 1) co_return one;
      if (!done && next.want == want::nothing) {
        done = true;
        continue;
      }
      std::string received(4096, '\0');
      std::size_t const size =
          co_await socket.async_read_some(asio::buffer(received), asio::use_awaitable);
      engine_.input(asio::buffer(received, size));
    }
  }

 private:
  unsigned byte(std::size_t at) const { return static_cast<unsigned char>(hello_[at]); }

  engine engine_;
  std::string hello_;
};

/// A listener, and connections that it has accepted before their handshake.
struct incoming_fixture {
  asio::io_context context;
  listener server{context.get_executor(), any_port(), localhost_server(),
                  listener_options().handshake_timeout(10s)};

  void limit(std::chrono::steady_clock::duration time) {
    server = listener(context.get_executor(), any_port(), localhost_server(),
                      listener_options().handshake_timeout(time));
  }

  asio::awaitable<tcp_stream> connect() {
    client_context const with = localhost_client();
    co_return co_await async_connect("localhost", server.port(), with);
  }

  /// A client that only TCP knows of, and what was accepted of it.
  asio::awaitable<std::pair<tcp::socket, incoming>> pair() {
    tcp::socket client(context);
    auto accepted = co_await (server.async_accept_incoming(asio::use_awaitable) &&
                              client.async_connect(server.local_endpoint(), asio::use_awaitable));
    co_return std::pair(std::move(client), std::move(accepted));
  }
};

inline asio::awaitable<void> send(tcp::socket& to, std::string const& bytes) {
  co_await asio::async_write(to, asio::buffer(bytes), asio::use_awaitable);
}

inline std::string text_of(std::vector<std::byte> const& bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// The handshake of what was accepted and the rest of the client's, with a byte at the end.
inline asio::awaitable<void> finish(raw_client& client, tcp::socket& socket, incoming& accepted) {
  auto serving = [&]() -> asio::awaitable<void> {
    tcp_stream made = co_await accepted.async_handshake();
    co_await made.async_write(asio::buffer("x", 1));
  };
  auto const one = co_await (client.finish(socket) && serving());
  BOOST_TEST(one == 'x');
}

}  // namespace cotls::test
