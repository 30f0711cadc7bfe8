#pragma once

#include <cotls/channel_binding_kind.hpp>
#include <cotls/client_options.hpp>
#include <cotls/connection_info.hpp>
#include <cotls/context.hpp>
#include <cotls/detail/driver/blocking_core.hpp>
#include <cotls/detail/driver/blocking_driver.hpp>
#include <cotls/detail/operation/early_operations.hpp>
#include <cotls/detail/operation/late_operations.hpp>
#include <cotls/detail/support/access.hpp>
#include <cotls/detail/support/timeouts.hpp>
#include <cotls/error.hpp>
#include <cotls/key_update.hpp>
#include <cotls/peer_info.hpp>
#include <cotls/session.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

/** TLS for simple tools: calls that wait, no `io_context`, no thread, the same engine. */
namespace cotls::blocking {

namespace asio = boost::asio;

/** A TLS connection over a stream socket, whose calls wait.

    Each call has an overload that throws `cotls::error` and one that sets an error code, and each
    has a deadline, over all that it does. After a call that has met its deadline the stream goes
    on. A stream is one connection. A default-constructed or moved-from stream is empty; calls on it
    fail with `errc::not_connected`.

    @par Concurrency Different streams may be used from different threads at once. On one stream,
    one thread may read while another one writes or sends close_notify; a second call of the same
    kind fails with `errc::operation_in_progress`, as does a shutdown beside either. What is known
    of the connection may be asked for from any thread at any time, beside calls that wait, and
    `close` ends those. Settings, `release`, moving and destroying must not meet a call in another
    thread.
*/
class stream {
 public:
  using duration = std::chrono::steady_clock::duration;

  /** Makes an empty stream. */
  stream() noexcept = default;

  /** Takes over a connected stream socket as a client; the handshake is still to be done. For
      STARTTLS, and for sockets that another library has connected.
      @param descriptor  Closed with the stream. It may be a blocking one. When this throws, it is
      still the caller's.
      @par Errors `errc::no_host_name` when the context verifies and the options name no host */
  stream(int descriptor, client_context const& context,
         client_options const& options = client_options());

  /** Takes over a connected stream socket as a server, such as standard input under inetd; the
      handshake is still to be done. @par Errors `errc::no_certificate` */
  stream(int descriptor, server_context const& context);

  /** False for an empty stream. What is asked of one throws `errc::not_connected`, but for the
      native handles, which are null. */
  explicit operator bool() const noexcept { return core_ != nullptr; }

  /** The longest that one read, or one write, may take; by default as long as it takes. A call that
      takes longer fails with `asio::error::timed_out`; without any time, it takes what is here. */
  void set_read_timeout(duration limit) noexcept { read_timeout_ = limit; }
  void set_write_timeout(duration limit) noexcept { write_timeout_ = limit; }
  void set_timeout(duration limit) noexcept { read_timeout_ = write_timeout_ = limit; }
  duration read_timeout() const noexcept { return read_timeout_; }
  duration write_timeout() const noexcept { return write_timeout_; }

  /** The longest that a handshake may take, 10 s by default, and a shutdown or the sending of
      close_notify, 2 s. */
  void set_handshake_timeout(duration limit) noexcept { handshake_timeout_ = limit; }
  void set_shutdown_timeout(duration limit) noexcept { shutdown_timeout_ = limit; }
  duration handshake_timeout() const noexcept { return handshake_timeout_; }
  duration shutdown_timeout() const noexcept { return shutdown_timeout_; }

  /** Gives bytes of the peer's that were received before the stream was made, as after STARTTLS.
      They are copied. To be called before the handshake. */
  void give_input(asio::const_buffer received);

  /** As `cotls::stream::set_alpn`. */
  void set_alpn(std::vector<std::string> const& protocols,
                alpn_mismatch policy = alpn_mismatch::refuse);

  /** Treats the socket's end as the peer's close_notify, for peers that never send it, where the
      protocol above tells a whole message from a cut one. Reads then end with
      `asio::error::eof`. */
  void tolerate_truncation(bool value = true);

  /** Lets a receive take more than the record at hand; on by default. Off, nothing behind the end
      of TLS is taken from the socket, which `release` needs. To be called before the handshake. */
  void set_read_ahead(bool value);

  /** Gives the socket back, after `shutdown` or a failed handshake; the stream is empty then.

      @return The descriptor, the caller's to close, and the bytes of `give_input` that were not
      read. Of a peer that turned out not to speak TLS, all that it has said.
      @par Errors `errc::not_over` when the peer or we have not sent close_notify;
      `errc::read_ahead` when bytes behind the end were read ahead. The stream stays as it was. */
  std::pair<int, std::vector<std::byte>> release();

  /** Performs the handshake (RFC 8446 section 2); not for streams of `connect` and `listener`,
      which have done so. @par Errors as `cotls::stream::async_handshake` */
  void handshake(error_code& code) {
    run<detail::handshake_operation<core_type>>(handshake_timeout_, code);
  }
  void handshake();

  /** Reads what the client of a server has sent with its hello, which whoever has recorded it may
      have done; as `cotls::stream::async_read_early`. */
  template <class Buffers>
  std::size_t read_early(Buffers const& buffers, error_code& code) {
    return run<detail::early_read_operation<core_type, Buffers>>(handshake_timeout_, code, buffers);
  }

  /** Writes all of the buffers to such a client before its handshake is done; as
      `cotls::stream::async_write_early`, with the time of a write. */
  template <class Buffers>
  std::size_t write_early(Buffers const& buffers, error_code& code) {
    return run<detail::early_write_operation<core_type, Buffers>>(write_timeout_, code, buffers,
                                                                  detail::amount::all);
  }

  /** Reads what is here, waiting for at least one byte.
      @par Errors as `cotls::stream::async_read_some`; `asio::error::timed_out`, having read
      nothing. */
  template <class Buffers>
  std::size_t read_some(Buffers const& buffers, error_code& code) {
    return run<detail::read_operation<core_type, Buffers>>(read_timeout_, code, buffers);
  }

  /** Looks at what is here, and leaves it for the next read; as `cotls::stream::async_peek_some`,
      with the time of a read. */
  template <class Buffers>
  std::size_t peek_some(Buffers const& buffers, error_code& code) {
    return run<detail::peek_operation<core_type, Buffers>>(read_timeout_, code, buffers);
  }

  /** Reads until the buffers are full; the count tells what was read before an error. */
  template <class Buffers>
  std::size_t read(Buffers const& buffers, error_code& code) {
    before_deadline reader{*this, detail::give_up_after(read_timeout_)};
    return asio::read(reader, buffers, code);
  }

  /** Writes all of the buffers; the count tells what was taken before an error. Empty buffers send
      no record.
      @par Errors as `cotls::stream::async_write`; `asio::error::timed_out`: what was taken and has
      not left yet does so with the next call. */
  template <class Buffers>
  std::size_t write(Buffers const& buffers, error_code& code) {
    return run<detail::write_operation<core_type, Buffers>>(write_timeout_, code, buffers,
                                                            detail::amount::all);
  }

  /** Writes some of the buffers: up to 64 KiB. Otherwise as `write`. */
  template <class Buffers>
  std::size_t write_some(Buffers const& buffers, error_code& code) {
    return run<detail::write_operation<core_type, Buffers>>(write_timeout_, code, buffers,
                                                            detail::amount::some);
  }

  /** Sends close_notify and ends our direction; reading goes on (RFC 8446 section 6.1).
      @par Errors `errc::shutdown_timeout` when it cannot leave; the socket's */
  void close_write(error_code& code) {
    run<detail::close_write_operation<core_type>>(shutdown_timeout_, code);
  }

  /** Changes the key that we send with, and asks the peer to do so, too, or not; as
      `cotls::stream::async_update_key`, with the time of a write. */
  void update_key(key_update asked, error_code& code) {
    run<detail::key_update_operation<core_type>>(write_timeout_, code, asked);
  }
  void update_key(key_update asked);

  /** Asks the client of a server for its certificate, and waits until its answer was verified; as
      `cotls::stream::async_request_certificate`. */
  void request_certificate(error_code& code) {
    run<detail::certificate_request_operation<core_type>>(handshake_timeout_, code);
  }
  void request_certificate();

  /** Sends close_notify and waits for the peer's, discarding data.
      @par Errors `errc::shutdown_timeout`; `errc::stream_truncated` when the peer ended the
      connection instead. */
  void shutdown(error_code& code) {
    run<detail::shutdown_operation<core_type>>(shutdown_timeout_, code);
  }

  template <class Buffers>
  std::size_t read_some(Buffers const& buffers) {
    error_code code;
    return checked(read_some(buffers, code), code, "read");
  }
  template <class Buffers>
  std::size_t peek_some(Buffers const& buffers) {
    error_code code;
    return checked(peek_some(buffers, code), code, "peek");
  }
  template <class Buffers>
  std::size_t read_early(Buffers const& buffers) {
    error_code code;
    return checked(read_early(buffers, code), code, "reading early data");
  }
  template <class Buffers>
  std::size_t write_early(Buffers const& buffers) {
    error_code code;
    return checked(write_early(buffers, code), code, "writing early");
  }
  template <class Buffers>
  std::size_t read(Buffers const& buffers) {
    error_code code;
    return checked(read(buffers, code), code, "read");
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
  void close_write();
  void shutdown();

  /** Ends the connection at once, without close_notify, from any thread: calls that wait in others
      end with `asio::error::operation_aborted`, and so do all that follow. What is known of the
      connection stays. The descriptor is closed with the stream. */
  void close() noexcept {
    if (core_) core_->close();
  }

  connection_info info() const;
  peer_info peer() const;
  std::optional<cotls::session> session() const;   ///< as `cotls::stream::session`

  /** As `cotls::stream::export_key` and `cotls::stream::channel_binding`. */
  std::vector<unsigned char> export_key(std::string_view label,
                                        std::optional<asio::const_buffer> context,
                                        std::size_t length) const;
  std::vector<unsigned char> channel_binding(channel_binding_kind kind) const;

  /** Returns the failure of the call that failed last, with all that OpenSSL said of it; its code
      is empty while none has. Of an empty stream, `errc::not_connected`. */
  error last_error() const;

  /** Returns the exception that the throwing overloads make of a code that the others have set.
      @param operation  What was tried, for its text. */
  error failure(error_code code, char const* operation) const;

  /** Return the addresses of a TCP connection, our own and the peer's.
      @par Errors `asio::error::address_family_not_supported` over another kind of socket; the
      system's, such as `asio::error::not_connected` once the peer's is forgotten */
  asio::ip::tcp::endpoint local_endpoint() const;
  asio::ip::tcp::endpoint remote_endpoint() const;

  /** Returns the socket's descriptor; -1 for an empty stream. */
  int native_socket() const noexcept { return core_ ? core_->descriptor() : -1; }
  ssl_st* native_handle() const noexcept {
    return core_ ? core_->engine().native_handle() : nullptr;
  }

 private:
  friend detail::access;

  using core_type = detail::blocking_core;

  // As the stream, but with one deadline for several reads.
  struct before_deadline {
    stream& from;
    detail::give_up_at until;

    template <class Buffers>
    std::size_t read_some(Buffers const& buffers, error_code& code) {
      return from.run_until<detail::read_operation<core_type, Buffers>>(until, code, buffers);
    }
  };

  template <class Operation, class... Args>
  std::size_t run(duration limit, error_code& code, Args const&... args) {
    return run_until<Operation>(detail::give_up_after(limit), code, args...);
  }

  template <class Operation, class... Args>
  std::size_t run_until(detail::give_up_at until, error_code& code, Args const&... args) {
    std::unique_lock<std::mutex> lock;
    if (core_) lock = std::unique_lock(core_->mutex);
    return detail::run_blocking<Operation>(core_.get(), until, code, args...);
  }

  std::size_t checked(std::size_t count, error_code code, char const* operation) const {
    if (code) throw failure(code, operation);
    return count;
  }

  template <class Function>
  auto with_engine(Function function) const;

  std::unique_ptr<core_type> core_;
  duration read_timeout_ = duration::max();
  duration write_timeout_ = duration::max();
  duration handshake_timeout_ = detail::usual_handshake_timeout;
  duration shutdown_timeout_ = detail::usual_shutdown_timeout;
};

}  // namespace cotls::blocking
