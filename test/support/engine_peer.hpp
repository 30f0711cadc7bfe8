#pragma once

#include "tls.hpp"

#include <cotls/engine.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace cotls::test {

/** A peer whose TLS is an engine and whose transport is the test's, which may change what goes over
    it. Nothing is sent or received but by the calls below. */
template <class Next>
class engine_peer {
 public:
  engine_peer(Next next, engine made) : tls(std::move(made)), next_(std::move(next)) {}

  engine tls;
  Next& next() noexcept { return next_; }

  /** Sends what the engine has to say; the last byte of it changed, where it is to be corrupted. */
  asio::awaitable<void> push(bool corrupted = false) {
    std::string piece(static_cast<char const*>(tls.output().data()), tls.output().size());
    tls.consume_output(piece.size());
    if (corrupted) piece.back() = static_cast<char>(piece.back() ^ 1);
    co_await asio::async_write(next_, asio::buffer(piece), as_result);
  }

  /** Gives the engine what comes; false at the transport's end. */
  asio::awaitable<bool> pull(bool corrupted = false) {
    std::string piece(64 * 1024, '\0');
    auto const [code, count] = co_await next_.async_read_some(asio::buffer(piece), as_result);
    if (code) {
      tls.end_input();
      co_return false;
    }
    if (corrupted) piece[count - 1] = static_cast<char>(piece[count - 1] ^ 1);
    tls.input(asio::buffer(piece, count));
    co_return true;
  }

  /** Performs the handshake, and returns its error. */
  asio::awaitable<error_code> shake_hands() {
    for (;;) {
      step const next = tls.handshake();
      co_await push();
      if (next.error || next.want == want::nothing) co_return next.error;
      co_await pull();
    }
  }

  asio::awaitable<void> send(std::string_view text) {
    tls.write(asio::buffer(text));
    co_await push();
  }

  asio::awaitable<void> close_write() {
    tls.close_write();
    co_await push();
  }

  /** Reads until an error, which it returns beside the data. */
  asio::awaitable<std::pair<error_code, std::string>> read_to_end() {
    std::string all;
    std::string room(64 * 1024, '\0');
    for (;;) {
      step const next = tls.read(asio::buffer(room));
      all.append(room, 0, next.bytes);
      co_await push();
      if (next.error) co_return std::pair(next.error, std::move(all));
      if (next.want == want::input) co_await pull();
    }
  }

 private:
  Next next_;
};

/** A client stream of ours, and a server whose ciphertext can be changed on its way. */
template <class Next>
class against_an_engine {
 public:
  stream<Next> client;
  engine_peer<Next> peer;

  against_an_engine(Next near, Next far, protocol version)
      : client(std::move(near), localhost_client(version), client_options().host("localhost")),
        peer(std::move(far), engine(localhost_server(version))) {}

  asio::awaitable<void> shake_hands() {
    using namespace asio::experimental::awaitable_operators;
    auto const code = co_await (client.async_handshake(asio::use_awaitable) && peer.shake_hands());
    BOOST_TEST(!code);
  }
};

}  // namespace cotls::test
