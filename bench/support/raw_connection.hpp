#pragma once

#include "openssl_ptr.hpp"
#include "raw_loop.hpp"
#include "settings.hpp"
#include "tcp_socket.hpp"

#include <boost/asio/buffer.hpp>

#include <coroutine>
#include <cstddef>
#include <span>
#include <vector>

namespace bench {

namespace asio = boost::asio;

/** Contexts as somebody makes them who knows OpenSSL: read-ahead, one ticket, no chain to be looked
    for at each handshake, no session cache beside the tickets.
    @param lean  Connections let go of their buffers while they have nothing to do with them */
ssl_context_ptr make_server_context(settings const& given, bool lean);
ssl_context_ptr make_client_context(settings const& given, bool lean);

/** A TCP connection by hand, with OpenSSL over it (`SSL_set_fd`), or with nothing.

    Without a loop the socket blocks, and so does everything. With one, reads and writes are
    awaited: a read waits first, unless OpenSSL holds something, so that nothing is received in
    vain. */
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

  class awaited_operation;
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
  bool may_read_at_once() const noexcept;
  void wait(outcome wanted, raw_loop::operation& waiting);

  descriptor socket_;
  ssl_ptr ssl_;
  raw_loop* loop_ = nullptr;
  raw_loop::watched watched_;
  std::vector<char> joined_;
};

/** An operation that is awaited: attempted again whenever its socket may be ready. */
class raw_connection::awaited_operation : raw_loop::operation {
 public:
  void await_suspend(std::coroutine_handle<> by) {
    caller = by;
    of_.wait(wanted_, *this);
  }

 protected:
  explicit awaited_operation(raw_connection& of) noexcept : of_(of) {}
  ~awaited_operation() = default;

  virtual outcome attempt() = 0;

  bool is_done() {
    wanted_ = attempt();
    return wanted_ == outcome::done;
  }

  raw_connection& of_;

 private:
  bool advance() final {
    if (is_done()) return true;
    of_.wait(wanted_, *this);
    return false;
  }

  outcome wanted_ = outcome::wants_input;
};

class raw_connection::read_operation final : public awaited_operation {
 public:
  read_operation(raw_connection& of, asio::mutable_buffer into) noexcept
      : awaited_operation(of), into_(into) {}

  bool await_ready() { return of_.may_read_at_once() && is_done(); }
  std::size_t await_resume() const noexcept { return bytes_; }

 private:
  outcome attempt() override { return of_.try_read(into_, bytes_); }

  asio::mutable_buffer into_;
  std::size_t bytes_ = 0;
};

class raw_connection::write_operation final : public awaited_operation {
 public:
  write_operation(raw_connection& of, asio::const_buffer from) noexcept
      : awaited_operation(of), from_(from) {}

  bool await_ready() { return is_done(); }
  std::size_t await_resume() const noexcept { return from_.size(); }

 private:
  outcome attempt() override { return of_.try_write(from_, done_); }

  asio::const_buffer from_;
  std::size_t done_ = 0;
};

inline raw_connection::read_operation raw_connection::read_some(
    asio::mutable_buffer into) noexcept {
  return {*this, into};
}

inline raw_connection::write_operation raw_connection::write(asio::const_buffer from) noexcept {
  return {*this, from};
}

}  // namespace bench
