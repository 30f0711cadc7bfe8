#pragma once

#include "raw_loop.hpp"
#include "settings.hpp"
#include "tcp_socket.hpp"

#include <boost/asio/buffer.hpp>

#include <openssl/ssl.h>

#include <coroutine>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace bench {

namespace asio = boost::asio;

struct ssl_deleter {
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using ssl_ptr = std::unique_ptr<SSL, ssl_deleter>;
using ssl_context_ptr = std::unique_ptr<SSL_CTX, ssl_deleter>;
using ssl_session_ptr = std::unique_ptr<SSL_SESSION, ssl_deleter>;

/** Contexts as somebody makes them who knows OpenSSL: read-ahead, one ticket, no chain to be looked
    for at each handshake, no session cache beside the tickets.
    @param lean  Connections let go of their buffers while they have nothing to do with them */
ssl_context_ptr make_server_context(settings const& given, bool lean);
ssl_context_ptr make_client_context(settings const& given, bool lean);

/** A TCP connection by hand, with OpenSSL over it (`SSL_set_fd`), or with nothing.

    Without a loop the socket blocks, and so does everything. With one, reads and writes are awaited:
    a read waits first, unless OpenSSL holds something, so that nothing is received in vain. */
class raw_connection {
 public:
  /** Takes over a connected socket. `connection` may be empty: plain TCP. */
  raw_connection(descriptor socket, ssl_ptr connection);
  raw_connection(raw_connection const&) = delete;

  /** Shakes hands, blocking. */
  void handshake();

  /** Makes operations wait on a loop. */
  void use(raw_loop& loop);

  SSL* native_handle() const noexcept { return ssl_.get(); }

  class read_operation;
  class write_operation;

  /** @return 0 at the end. */
  read_operation read_some(asio::mutable_buffer into) noexcept;

  /** Writes all. */
  write_operation write(asio::const_buffer from) noexcept;

  /** Writes all of many small buffers, joined: that is cheaper than to give each to OpenSSL, or to
      the system. */
  write_operation write(std::span<asio::const_buffer const> from);

 private:
  enum class outcome { done, wants_input, wants_output };

  outcome try_read(asio::mutable_buffer into, std::size_t& bytes);
  outcome try_write(asio::const_buffer from, std::size_t& done);
  outcome outcome_of(int result) const;
  bool may_have_input() const noexcept;
  bool wait(outcome wanted, raw_loop::operation& waiting);

  descriptor socket_;
  ssl_ptr ssl_;
  raw_loop* loop_ = nullptr;
  raw_loop::watched watched_;
  std::vector<char> joined_;
};

class raw_connection::read_operation final : raw_loop::operation {
 public:
  read_operation(raw_connection& of, asio::mutable_buffer into) noexcept : of_(of), into_(into) {}

  bool await_ready() {
    if (of_.loop_ && !of_.may_have_input()) return false;
    wanted_ = of_.try_read(into_, bytes_);
    return wanted_ == outcome::done;
  }
  void await_suspend(std::coroutine_handle<> by) {
    caller = by;
    of_.wait(wanted_, *this);
  }
  std::size_t await_resume() const noexcept { return bytes_; }

 private:
  bool advance() override {
    wanted_ = of_.try_read(into_, bytes_);
    return !of_.wait(wanted_, *this);
  }

  raw_connection& of_;
  asio::mutable_buffer into_;
  std::size_t bytes_ = 0;
  outcome wanted_ = outcome::wants_input;
};

class raw_connection::write_operation final : raw_loop::operation {
 public:
  write_operation(raw_connection& of, asio::const_buffer from) noexcept : of_(of), from_(from) {}

  bool await_ready() {
    wanted_ = of_.try_write(from_, done_);
    return wanted_ == outcome::done;
  }
  void await_suspend(std::coroutine_handle<> by) {
    caller = by;
    of_.wait(wanted_, *this);
  }
  std::size_t await_resume() const noexcept { return from_.size(); }

 private:
  bool advance() override {
    wanted_ = of_.try_write(from_, done_);
    return !of_.wait(wanted_, *this);
  }

  raw_connection& of_;
  asio::const_buffer from_;
  std::size_t done_ = 0;
  outcome wanted_ = outcome::done;
};

inline raw_connection::read_operation raw_connection::read_some(
    asio::mutable_buffer into) noexcept {
  return {*this, into};
}

inline raw_connection::write_operation raw_connection::write(asio::const_buffer from) noexcept {
  return {*this, from};
}

}  // namespace bench
