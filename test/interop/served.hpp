#pragma once

#include "mailbox.hpp"

#include <cotls/listener.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace cotls::test {

/** What became of one connection to a `server_thread`. */
struct served {
  bool accepted = false;         ///< its handshake was done
  connection_info info;
  bool peer_verified = false;
  std::string peer_subject;
  std::size_t received = 0;      ///< plaintext bytes, as the session counts them
  std::optional<error> failure;  ///< what ended the handshake or the session, if a failure did
};

/** A cotls listener on 127.0.0.1 and the threads that serve it, for peers that are programs. */
class server_thread {
 public:
  /** Talks with one peer; what it throws becomes `served::failure`. */
  using session_type = std::function<asio::awaitable<void>(tcp_stream&, served&)>;

  server_thread(server_context const& context, session_type session);
  ~server_thread();

  int port() const { return listener_.port(); }

  /** Waits until another connection has come to its end, or to nothing.
      @par Errors std::runtime_error at the deadline */
  served next() { return ended_.take(); }

 private:
  asio::awaitable<void> accept_all();
  asio::awaitable<void> serve(tcp_stream accepted);

  asio::io_context context_;
  session_type session_;
  mailbox<served> ended_;
  listener listener_;
  std::vector<std::jthread> threads_;
};

/** Sends back what comes, until the peer's close_notify; then says goodbye too. */
asio::awaitable<void> echo(tcp_stream& peer, served& report);

/** Sends a line and says goodbye; the peer's data is discarded. */
asio::awaitable<void> greet(tcp_stream& peer, served& report);

/** Answers HTTP/1.1 requests, one after another, until the peer goes: `GET /N` gives N bytes.
    `received` counts the requests. */
asio::awaitable<void> answer_http(tcp_stream& peer, served& report);

/** Returns the body of `GET /size`. */
std::string http_body(std::size_t size);

}  // namespace cotls::test
