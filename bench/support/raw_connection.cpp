#include "raw_connection.hpp"

#include "require.hpp"

#include <openssl/err.h>

#include <errno.h>
#include <sys/socket.h>

#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace bench {

namespace {

[[noreturn]] void fail(std::string const& what) {
  char const* const reason = ERR_reason_error_string(ERR_get_error());
  throw std::runtime_error("openssl: " + what + (reason ? std::string(": ") + reason : ""));
}

[[noreturn]] void fail_socket(char const* what) {
  throw std::system_error(errno, std::system_category(), what);
}

ssl_context_ptr make_context(SSL_METHOD const* method, bool lean) {
  ssl_context_ptr made(SSL_CTX_new(method));
  if (!made) fail("SSL_CTX_new");
  if (lean) SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(made.get(), 1);
  SSL_CTX_set_session_cache_mode(made.get(), SSL_SESS_CACHE_OFF);
  return made;
}

bool would_block() noexcept { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

ssl_context_ptr make_server_context(settings const& given, bool lean) {
  ssl_context_ptr made = make_context(TLS_server_method(), lean);
  set_up_server(made.get(), given);
  SSL_CTX_set_mode(made.get(), SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_num_tickets(made.get(), 1);
  return made;
}

ssl_context_ptr make_client_context(settings const& given, bool lean) {
  ssl_context_ptr made = make_context(TLS_client_method(), lean);
  set_up_client(made.get(), given);
  return made;
}

raw_connection::raw_connection(descriptor socket, ssl_ptr connection)
    : socket_(std::move(socket)), ssl_(std::move(connection)) {
  watched_.socket = socket_.get();
  if (ssl_ && SSL_set_fd(ssl_.get(), socket_.get()) != 1) fail("SSL_set_fd");
}

void raw_connection::handshake() {
  if (ssl_ && SSL_do_handshake(ssl_.get()) != 1) fail("the handshake");
}

void raw_connection::use(raw_loop& loop) {
  set_non_blocking(socket_.get());
  loop.add(watched_);
  loop_ = &loop;
}

raw_connection::write_operation raw_connection::write(std::span<asio::const_buffer const> from) {
  joined_.resize(asio::buffer_size(from));
  asio::buffer_copy(asio::buffer(joined_), from);
  return write(asio::buffer(joined_));
}

bool raw_connection::may_read_at_once() const noexcept {
  return !loop_ || (ssl_ && SSL_has_pending(ssl_.get()) == 1);
}

raw_connection::outcome raw_connection::outcome_of(int result) const {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return outcome::wants_input;
    case SSL_ERROR_WANT_WRITE:
      return outcome::wants_output;
    case SSL_ERROR_ZERO_RETURN:
      return outcome::done;
    default:
      fail("a connection has failed");
  }
}

raw_connection::outcome raw_connection::try_read(asio::mutable_buffer into, std::size_t& bytes) {
  if (ssl_) {
    int const result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &bytes);
    return result == 1 ? outcome::done : outcome_of(result);
  }
  ssize_t const got = ::recv(socket_.get(), into.data(), into.size(), 0);
  if (got < 0 && would_block()) return outcome::wants_input;
  if (got < 0) fail_socket("recv");
  bytes = static_cast<std::size_t>(got);
  return outcome::done;
}

raw_connection::outcome raw_connection::try_write(asio::const_buffer from, std::size_t& done) {
  if (ssl_) {
    int const result = SSL_write_ex(ssl_.get(), from.data(), from.size(), &done);
    return result == 1 ? outcome::done : outcome_of(result);
  }
  while (done < from.size()) {
    asio::const_buffer const rest = from + done;
    ssize_t const sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && would_block()) return outcome::wants_output;
    if (sent < 0) fail_socket("send");
    done += static_cast<std::size_t>(sent);
  }
  return outcome::done;
}

void raw_connection::wait(outcome wanted, raw_loop::operation& waiting) {
  if (wanted == outcome::wants_output) return loop_->wait_writable(watched_, waiting);
  // A connection that waits for its peer holds no buffers (those of a client with
  // SSL_MODE_RELEASE_BUFFERS would stay until a read finds nothing).
  if (ssl_ && (SSL_get_mode(ssl_.get()) & SSL_MODE_RELEASE_BUFFERS)) SSL_free_buffers(ssl_.get());
  loop_->wait_readable(watched_, waiting);
}

}  // namespace bench
