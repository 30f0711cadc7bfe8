#pragma once

#include <cotls/connect.hpp>
#include <cotls/connection_info.hpp>
#include <cotls/context.hpp>
#include <cotls/detail/blocking_driver.hpp>
#include <cotls/detail/deadline.hpp>
#include <cotls/error.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

/** TLS for simple tools: calls that wait, no `io_context`, no thread, the same engine. */
namespace cotls::blocking {

namespace asio = boost::asio;

/** A TLS connection over TCP whose calls wait.

    Each call has an overload that throws `cotls::error` and one that sets an error code.
    @par Concurrency Different streams may be used from different threads; one stream only from one
    thread at a time.
*/
class stream {
 public:
  using duration = std::chrono::steady_clock::duration;

  /** Makes an empty stream; calls on it fail with `errc::not_connected`. */
  stream() noexcept = default;

  explicit operator bool() const noexcept { return core_ != nullptr; }

  /** The longest that one read or write may take; by default as long as it takes.
      A call that takes longer fails with `asio::error::timed_out`; the stream stays usable. */
  void set_timeout(duration limit) noexcept { timeout_ = limit; }

  /** The longest that a shutdown may take. 2 s by default. */
  void set_shutdown_timeout(duration limit) noexcept { shutdown_timeout_ = limit; }

  /** Reads what is here, waiting for at least one byte. Errors as `cotls::stream`. */
  template <class Buffers>
  std::size_t read_some(Buffers const& buffers, error_code& code) {
    return run<detail::read_operation<core_type, Buffers>>(timeout_, code, buffers);
  }

  /** Writes all of the buffers; the count tells what was taken before an error. */
  template <class Buffers>
  std::size_t write(Buffers const& buffers, error_code& code) {
    return run<detail::write_operation<core_type, Buffers>>(timeout_, code, buffers,
                                                            detail::amount::all);
  }

  /** Writes some of the buffers: up to 64 KiB. */
  template <class Buffers>
  std::size_t write_some(Buffers const& buffers, error_code& code) {
    return run<detail::write_operation<core_type, Buffers>>(timeout_, code, buffers,
                                                            detail::amount::some);
  }

  /** Reads until the buffers are full. */
  template <class Buffers>
  std::size_t read(Buffers const& buffers, error_code& code) {
    return asio::read(*this, buffers, code);
  }

  /** Sends close_notify; reading goes on. */
  void close_write(error_code& code) {
    run<detail::close_write_operation<core_type>>(shutdown_timeout_, code);
  }

  /** Sends close_notify and waits for the peer's, discarding data. */
  void shutdown(error_code& code) {
    run<detail::shutdown_operation<core_type>>(shutdown_timeout_, code);
  }

  template <class Buffers>
  std::size_t read_some(Buffers const& buffers) {
    error_code code;
    return checked(read_some(buffers, code), code, "read");
  }
  template <class Buffers>
  std::size_t write(Buffers const& buffers) {
    error_code code;
    return checked(write(buffers, code), code, "write");
  }
  template <class Buffers>
  std::size_t write_some(Buffers const& buffers) {
    error_code code;
    return checked(write_some(buffers, code), code, "write");
  }
  template <class Buffers>
  std::size_t read(Buffers const& buffers) {
    error_code code;
    return checked(read(buffers, code), code, "read");
  }
  void close_write() {
    error_code code;
    close_write(code);
    checked(0, code, "sending close_notify");
  }
  void shutdown() {
    error_code code;
    shutdown(code);
    checked(0, code, "shutdown");
  }

  connection_info info() const { return core_->engine().info(); }
  peer_info peer() const { return core_->engine().peer(); }
  error last_error() const {
    return core_ ? core_->engine().last_error() : error(errc::not_connected);
  }
  int native_socket() const noexcept { return core_ ? core_->descriptor() : -1; }
  ssl_st* native_handle() const noexcept { return core_->engine().native_handle(); }

 private:
  using core_type = detail::blocking_core;
  friend stream handshaken(std::unique_ptr<core_type> core, duration limit,
                           std::string const& peer);

  template <class Operation, class... Args>
  std::size_t run(duration limit, error_code& code, Args const&... args) {
    detail::give_up_at until;
    if (limit != duration::max()) until = detail::moment_after(limit);
    return detail::run_blocking<Operation>(core_.get(), until, code, args...);
  }

  std::size_t checked(std::size_t count, error_code code, char const* what) const {
    if (code) throw core_ ? core_->engine().failure_of(code, what) : error(code);
    return count;
  }

  std::unique_ptr<core_type> core_;
  duration timeout_ = duration::max();
  duration shutdown_timeout_ = std::chrono::seconds(2);
};

/** Connects to a host by name or address and performs the handshake; as `async_connect`, on the
    calling thread. The lookup is outside the deadline: `getaddrinfo` cannot be interrupted.
    @par Errors `cotls::error`, with the codes of `async_connect`. */
stream connect(std::string_view host, int port,
               client_context const& context = default_client_context(),
               connect_options const& options = connect_options());

/** Accepts TCP connections, one at a time. */
class listener {
 public:
  /** Binds and listens. @par Errors `cotls::error` with the system's code. */
  listener(asio::ip::tcp::endpoint const& endpoint, server_context const& context,
           int backlog = asio::socket_base::max_listen_connections);

  /** Waits for a connection and shakes hands with it. A peer that is slow holds up the next one
      for no longer than the handshake timeout.
      @par Errors `cotls::error`: the system's, or the handshake's; the listener stays usable. */
  stream accept();

  void set_handshake_timeout(stream::duration limit) noexcept { handshake_timeout_ = limit; }

  asio::ip::tcp::endpoint local_endpoint() const;
  std::uint16_t port() const { return local_endpoint().port(); }
  int native_handle() const noexcept { return socket_.get(); }
  server_context& context() noexcept { return context_; }

 private:
  server_context context_;
  detail::socket_handle socket_;
  stream::duration handshake_timeout_ = std::chrono::seconds(10);
};

}  // namespace cotls::blocking
