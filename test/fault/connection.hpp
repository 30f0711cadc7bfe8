#pragma once

#include "plan.hpp"

#include <cotls/error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

struct ssl_st;

namespace cotls::test {

/// What the scenarios do.
enum class operation {
  handshake, connect, accept, read_early, read, peek, write, update_key, request_certificate,
  close_write, shutdown,
  say, hear,   ///< on the transport itself, without TLS
};

/** Which end of what a connection is to be. */
class connection_settings {
 public:
  protocol version = protocol::secure;
  bool serves = false;
  bool late = false;        ///< a client may be asked for its certificate behind the handshake
  std::string_view early;   ///< what a client sends with its hello, and a server looks for
  bool composed = false;    ///< by composed operations instead of our coroutines
  bool read_ahead = true;
  std::chrono::steady_clock::duration deadline = std::chrono::seconds(10);
};

/** What has passed between OpenSSL and the wire, and whether close_notify was the last we sent. */
struct wire {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  bool closed = false;
};

wire wire_of(ssl_st* ssl);

/** One end of a TLS connection over any channel: a scenario is written and compiled once. */
class connection {
 public:
  using done = asio::awaitable<error_code>;
  using moved = asio::awaitable<std::pair<error_code, std::size_t>>;

  virtual ~connection() = default;

  /** What `open` performs: a handshake, or a connect or an accept with it. */
  virtual operation opening() const { return operation::handshake; }
  virtual done open() = 0;

  virtual moved read_early(asio::mutable_buffer into) = 0;
  virtual moved write_early(asio::const_buffer from) = 0;
  virtual moved read(asio::mutable_buffer into) = 0;
  virtual moved peek(asio::mutable_buffer into) = 0;
  virtual moved write(asio::const_buffer from) = 0;

  /** Changes the key, and asks the peer to do so. */
  virtual done update_key() = 0;
  virtual done request_certificate() = 0;

  /** Whether the peer has shown a certificate that is trusted. */
  virtual bool knows_the_peer() const = 0;

  virtual done close_write() = 0;
  virtual done shutdown() = 0;

  /** Goes on by halves. Dropping the writing one ends its direction. */
  virtual void split() = 0;
  virtual void drop_writing() = 0;

  /** Reads and writes the transport, before and after TLS. */
  virtual moved hear(asio::mutable_buffer into) = 0;
  virtual moved say(asio::const_buffer from) = 0;

  /** Hands TLS what was heard of it already. */
  virtual void give(std::string_view heard) = 0;

  /** Takes the transport back, and what has been received behind the end of TLS.
      @par Errors as `stream::release` */
  virtual std::string release() = 0;

  /** How much of what OpenSSL has emitted has not left. */
  virtual std::size_t unsent() const = 0;

  /** Drops everything, the transport included. */
  virtual void close() = 0;

  /** Stays what it was at the end of TLS. */
  virtual wire counted() const = 0;

  /** True when no operation holds a direction. */
  virtual bool idle() const = 0;

  /** How often an observer was told of a connection that came to nothing. */
  virtual int refusals() const { return 0; }

  /** Says whether what was behind the stream is still there. */
  virtual std::function<bool()> watch_core() const = 0;
};

}  // namespace cotls::test
