#pragma once

#include <cotls/channel_binding_kind.hpp>
#include <cotls/connection_info.hpp>
#include <cotls/detail/driver/blocking_driver.hpp>
#include <cotls/detail/driver/start.hpp>
#include <cotls/detail/driver/token.hpp>
#include <cotls/detail/operation/core.hpp>
#include <cotls/detail/operation/late_operations.hpp>
#include <cotls/detail/operation/deadline.hpp>
#include <cotls/detail/operation/ssl_stream_operation.hpp>
#include <cotls/detail/support/held.hpp>
#include <cotls/detail/support/timeouts.hpp>
#include <cotls/error.hpp>
#include <cotls/key_update.hpp>
#include <cotls/lowest_layer.hpp>
#include <cotls/peer_info.hpp>
#include <cotls/teardown.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream_base.hpp>
#include <boost/asio/ssl/verify_context.hpp>
#include <boost/asio/ssl/verify_mode.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace cotls {

namespace asio = boost::asio;

namespace detail {

/// The lowest layer of a transport, as Asio's streams name it; Beast's keep that to themselves.
template <class Next>
struct lowest_layer_of {
  using type = Next;
  static type& find(Next& next) noexcept { return next; }
};
template <class Next>
  requires requires { typename Next::lowest_layer_type; }
struct lowest_layer_of<Next> {
  using type = typename Next::lowest_layer_type;
  static type& find(Next& next) noexcept { return next.lowest_layer(); }
};

}  // namespace detail

/** `asio::ssl::stream` and `boost::beast::ssl_stream`, spelled as they are, over the engine and the
    operations of `stream`.

    A program goes over by one include and one name. Its context stays an `asio::ssl::context`, used
    as it is: its verify mode, its callbacks and its options count, and nothing is verified that the
    program does not ask for. It must live until the handshake is done. New programs use `stream`,
    which verifies by default.

    What is different:

    - The deadlines. A handshake ends after 10 s (`errc::handshake_timeout`), a shutdown after 2 s
      (`errc::shutdown_timeout`); both can be changed. Blocking calls meet them over a socket or a
      stream of Beast's around one; over another transport, as soon as that comes back.
    - Shutdown. It discards data that the peer sent before its close_notify, instead of failing;
      before the handshake it does nothing. The blocking one is silent when all is well, where
      asio::ssl says `asio::error::eof`. Beside a pending read it completes once close_notify is
      sent, and the read sees the peer's.
    - Errors. The transport's end without close_notify is `asio::ssl::error::stream_truncated`, in a
      handshake too; what OpenSSL says is of `openssl_category()`, and a peer's alert of
      `alert_category()`, instead of Asio's category. A failed handshake sends its alert first, and
      bytes that came before an error are delivered before it. Exceptions are `cotls::error`.
    - One read and one write at a time: where asio::ssl would let a second one wait, it ends with
      `errc::operation_in_progress`; so do a read beside a shutdown and a shutdown beside a write.
    - A read fills the buffers from as many records as have arrived; a write takes up to 64 KiB.
    - Bytes given to a handshake are all taken over: those behind it are read later.
    - An exception thrown by a verify callback refuses the certificate; it does not leave the call.
    - Application data of `SSL_set_app_data` is the program's own: the callback is kept elsewhere.
    - Without a token, operations take `use_awaitable` where the executor has no default of its own.
    - Moving a stream leaves it without a connection: operations on it end with
      `errc::not_connected`, and what is asked of it throws that. Destroying one ends its operations
      with `operation_aborted`.

    @par Concurrency, cancellation As `stream`.
*/
template <class Next>
class ssl_stream : public asio::ssl::stream_base {
  using core_type = detail::core<Next>;
  using clock = std::chrono::steady_clock;
  using handshake_as = detail::as_asio_reports<detail::handshake_as<core_type>>;
  template <class Buffers>
  using buffered_handshake = detail::as_asio_reports<detail::handshake_as<core_type, Buffers>>;
  using shutdown_operation = detail::as_asio_reports<detail::shutdown_beside_read<core_type>>;
  template <class Buffers>
  using read_operation = detail::as_asio_reports<detail::read_operation<core_type, Buffers>>;
  template <class Buffers>
  using peek_operation = detail::as_asio_reports<detail::peek_operation<core_type, Buffers>>;
  template <class Buffers>
  using write_operation = detail::as_asio_reports<detail::write_operation<core_type, Buffers>>;
  using key_update_operation = detail::as_asio_reports<detail::key_update_operation<core_type>>;
  using certificate_request =
      detail::as_asio_reports<detail::certificate_request_operation<core_type>>;
  template <class T>
  static constexpr bool is_buffers = asio::is_const_buffer_sequence<std::decay_t<T>>::value;

 public:
  using native_handle_type = ssl_st*;
  using next_layer_type = std::remove_reference_t<Next>;
  using lowest_layer_type = typename detail::lowest_layer_of<next_layer_type>::type;
  using executor_type = typename next_layer_type::executor_type;
  using default_token = detail::default_token_t<executor_type>;

  /// The same over a transport with another executor (`as_default_on_t`).
  template <class Executor>
  struct rebind_executor {
    using other = ssl_stream<typename next_layer_type::template rebind_executor<Executor>::other>;
  };

  /// For programs that use Asio's deprecated `impl_type`.
  struct impl_struct {
    native_handle_type ssl;
  };

  /** Makes a stream over a transport that is made from an argument: another of its kind, a socket,
      an executor. */
  template <class Arg>
  ssl_stream(Arg&& arg, asio::ssl::context& context)
      : core_(make_core(std::forward<Arg>(arg), context.native_handle())) {}

  /** Makes a stream from an `SSL` that was not yet used, and takes it over. Not null. */
  template <class Arg>
  ssl_stream(Arg&& arg, native_handle_type made)
      : core_(make_core(std::forward<Arg>(arg), made)) {}

  ssl_stream(ssl_stream&&) noexcept = default;
  ssl_stream& operator=(ssl_stream&& other) noexcept {
    if (this != &other) {
      abandon();
      core_ = std::move(other.core_);
      handshake_timeout_ = other.handshake_timeout_;
      shutdown_timeout_ = other.shutdown_timeout_;
    }
    return *this;
  }

  ~ssl_stream() { abandon(); }

  executor_type get_executor() const { return detail::held(core_).executor(); }

  /** Returns the connection as OpenSSL has it, before the handshake, too; null for a stream that
      was moved from. */
  native_handle_type native_handle() const noexcept {
    return core_ ? core_->engine().native_handle() : nullptr;
  }

  next_layer_type& next_layer() { return detail::held(core_).expose(); }
  next_layer_type const& next_layer() const { return detail::held(core_).expose(); }

  /** Returns the socket, or whatever has no layer beneath it: a `beast::tcp_stream` is its own. */
  lowest_layer_type& lowest_layer() {
    return detail::lowest_layer_of<next_layer_type>::find(next_layer());
  }
  lowest_layer_type const& lowest_layer() const {
    return detail::lowest_layer_of<next_layer_type>::find(detail::held(core_).expose());
  }

  connection_info info() const { return detail::held(core_).engine().info(); }
  peer_info peer() const { return detail::held(core_).engine().peer(); }

  /** As `stream::export_key` and `stream::channel_binding`. */
  std::vector<unsigned char> export_key(std::string_view label,
                                        std::optional<asio::const_buffer> context,
                                        std::size_t length) const {
    return detail::held(core_).engine().export_key(label, context, length);
  }
  std::vector<unsigned char> channel_binding(channel_binding_kind kind) const {
    return detail::held(core_).engine().channel_binding(kind);
  }

  /** Returns the failure of the operation that failed last, with all that OpenSSL said of it, as
      `stream::last_error` does: of a transport that has ended the code is `errc::stream_truncated`
      or `errc::handshake_truncated`. */
  error last_error() const {
    return core_ ? core_->engine().last_error() : error(errc::not_connected);
  }

  /** The time for a whole handshake, 10 s by default, and for a whole shutdown, 2 s. */
  void set_handshake_timeout(clock::duration limit) noexcept { handshake_timeout_ = limit; }
  void set_shutdown_timeout(clock::duration limit) noexcept { shutdown_timeout_ = limit; }
  clock::duration shutdown_timeout() const noexcept { return shutdown_timeout_; }

  /** Says what is asked of the peer, instead of what the context says. (`SSL_set_verify`) */
  void set_verify_mode(asio::ssl::verify_mode mode) {
    detail::held(core_).engine().set_verify_mode(mode);
  }
  error_code set_verify_mode(asio::ssl::verify_mode mode, error_code& code) {
    return with_code(code, [&] { set_verify_mode(mode); });
  }

  /** Limits the length of the peer's chain. (`SSL_set_verify_depth`) */
  void set_verify_depth(int depth) { detail::held(core_).engine().set_verify_depth(depth); }
  error_code set_verify_depth(int depth, error_code& code) {
    return with_code(code, [&] { set_verify_depth(depth); });
  }

  /** Lets a function decide on each certificate of the peer's, instead of the context's callback:
      `bool(bool accepted, asio::ssl::verify_context&)`. */
  template <class VerifyCallback>
  void set_verify_callback(VerifyCallback callback) {
    detail::held(core_).engine().set_verifier(
        [callback = std::move(callback)](bool accepted, x509_store_ctx_st* store) mutable -> bool {
          asio::ssl::verify_context context(store);
          return callback(accepted, context);
        });
  }
  template <class VerifyCallback>
  error_code set_verify_callback(VerifyCallback callback, error_code& code) {
    return with_code(code, [&] { set_verify_callback(std::move(callback)); });
  }

  /** Performs the handshake as a client or as a server. The calls that take buffers begin with what
      they hold, as after STARTTLS; `async_handshake` then counts it.
      @par Errors As `stream::async_handshake`, but for what is said above. */
  error_code handshake(handshake_type end, error_code& code) {
    about_to_shake(end);
    run<handshake_as>(until(handshake_timeout_), code, role_of(end));
    return code;
  }
  template <class Buffers>
    requires is_buffers<Buffers>
  error_code handshake(handshake_type end, Buffers const& received, error_code& code) {
    about_to_shake(end);
    run<buffered_handshake<Buffers>>(until(handshake_timeout_), code, role_of(end), received);
    return code;
  }
  void handshake(handshake_type end) {
    error_code code;
    check<handshake_as>(handshake(end, code));
  }
  template <class Buffers>
    requires is_buffers<Buffers>
  void handshake(handshake_type end, Buffers const& received) {
    error_code code;
    check<handshake_as>(handshake(end, received, code));
  }

  /** The same. `void(error_code)`, and with buffers `void(error_code, std::size_t)`. */
  template <class Token = default_token>
    requires(!is_buffers<Token>)
  auto async_handshake(handshake_type end, Token&& token = Token()) {
    about_to_shake(end);
    return detail::start_until<handshake_as>(core_, handshake_timeout_, std::forward<Token>(token),
                                             role_of(end));
  }
  template <class Buffers, class Token = default_token>
    requires is_buffers<Buffers>
  auto async_handshake(handshake_type end, Buffers const& received, Token&& token = Token()) {
    about_to_shake(end);
    return detail::start_until<buffered_handshake<Buffers>>(
        core_, handshake_timeout_, std::forward<Token>(token), role_of(end), received);
  }

  /** Sends close_notify and waits for the peer's, discarding data. `void(error_code)`
      @par Errors `errc::shutdown_timeout`; `asio::ssl::error::stream_truncated`; the transport's */
  template <class Token = default_token>
  auto async_shutdown(Token&& token = Token()) {
    return detail::start_until<shutdown_operation>(core_, shutdown_timeout_,
                                                   std::forward<Token>(token));
  }
  error_code shutdown(error_code& code) {
    run<shutdown_operation>(until(shutdown_timeout_), code);
    return code;
  }
  void shutdown() {
    error_code code;
    check<shutdown_operation>(shutdown(code));
  }

  /** Reads what is here, waiting for at least one byte. `void(error_code, std::size_t)`
      @par Errors `asio::error::eof` after the peer's close_notify, and after nothing else;
      `asio::ssl::error::stream_truncated`; an `alert`; OpenSSL's; the transport's */
  template <class Buffers, class Token = default_token>
  auto async_read_some(Buffers const& buffers, Token&& token = Token()) {
    return detail::start<read_operation<Buffers>>(core_, std::forward<Token>(token), buffers);
  }
  template <class Buffers>
  std::size_t read_some(Buffers const& buffers, error_code& code) {
    return run<read_operation<Buffers>>({}, code, buffers);
  }
  template <class Buffers>
  std::size_t read_some(Buffers const& buffers) {
    error_code code;
    std::size_t const count = read_some(buffers, code);
    check<read_operation<Buffers>>(code);
    return count;
  }

  /** Looks at what is here, and leaves it for the next read; as `stream::async_peek_some`, with the
      errors of a read here. `void(error_code, std::size_t)` */
  template <class Buffers, class Token = default_token>
  auto async_peek_some(Buffers const& buffers, Token&& token = Token()) {
    return detail::start<peek_operation<Buffers>>(core_, std::forward<Token>(token), buffers);
  }
  template <class Buffers>
  std::size_t peek_some(Buffers const& buffers, error_code& code) {
    return run<peek_operation<Buffers>>({}, code, buffers);
  }
  template <class Buffers>
  std::size_t peek_some(Buffers const& buffers) {
    error_code code;
    std::size_t const count = peek_some(buffers, code);
    check<peek_operation<Buffers>>(code);
    return count;
  }

  /** Writes some of the buffers: up to 64 KiB. `void(error_code, std::size_t)`
      @par Errors As `stream::async_write_some`. */
  template <class Buffers, class Token = default_token>
  auto async_write_some(Buffers const& buffers, Token&& token = Token()) {
    return detail::start<write_operation<Buffers>>(core_, std::forward<Token>(token), buffers,
                                                   detail::amount::some);
  }
  template <class Buffers>
  std::size_t write_some(Buffers const& buffers, error_code& code) {
    return run<write_operation<Buffers>>({}, code, buffers, detail::amount::some);
  }
  template <class Buffers>
  std::size_t write_some(Buffers const& buffers) {
    error_code code;
    std::size_t const count = write_some(buffers, code);
    check<write_operation<Buffers>>(code);
    return count;
  }

  /** Changes the key that we send with, as `stream::async_update_key`. `void(error_code)` */
  template <class Token = default_token>
  auto async_update_key(key_update asked, Token&& token = Token()) {
    return detail::start<key_update_operation>(core_, std::forward<Token>(token), asked);
  }
  error_code update_key(key_update asked, error_code& code) {
    run<key_update_operation>({}, code, asked);
    return code;
  }
  void update_key(key_update asked) {
    error_code code;
    check<key_update_operation>(update_key(asked, code));
  }

  /** Asks the client of a server for its certificate, as `stream::async_request_certificate`; what
      is asked is this stream's verify mode. `void(error_code)` The client's context has to allow it
      (`SSL_CTX_set_post_handshake_auth`). */
  template <class Token = default_token>
  auto async_request_certificate(Token&& token = Token()) {
    return detail::start_until<certificate_request>(core_, handshake_timeout_,
                                                    std::forward<Token>(token));
  }
  error_code request_certificate(error_code& code) {
    run<certificate_request>(until(handshake_timeout_), code);
    return code;
  }
  void request_certificate() {
    error_code code;
    check<certificate_request>(request_certificate(code));
  }

 private:
  template <class Arg, class Native>
  static std::shared_ptr<core_type> make_core(Arg&& arg, Native* native) {
    return std::make_shared<core_type>(static_cast<Next>(std::forward<Arg>(arg)), native);
  }

  template <class Setter>
  static error_code with_code(error_code& code, Setter set) {
    try {
      set();
      return code = {};
    } catch (error const& empty) {
      return code = empty.code();
    }
  }

  static detail::role role_of(handshake_type end) noexcept {
    return end == client ? detail::role::client : detail::role::server;
  }

  void about_to_shake(handshake_type end) {
    if (core_ && end == client) core_->transport().was_connected();
  }

  static detail::give_up_at until(clock::duration limit) { return detail::moment_after(limit); }

  template <class Operation, class... Args>
  std::size_t run(detail::give_up_at until, error_code& code, Args const&... args) {
    // The program may never run the executor.
    if (Operation::shakes_hands && core_) core_->transport().channel().hold_no_awaited_flight();
    return detail::run_blocking<Operation>(core_.get(), until, code, args...);
  }

  template <class Operation>
  void check(error_code code) const {
    if (code) throw core_ ? core_->failure(code, Operation::name) : error(code);
  }

  void abandon() {
    if (core_) core_->abandon();
  }

  std::shared_ptr<core_type> core_;
  clock::duration handshake_timeout_ = detail::usual_handshake_timeout;
  clock::duration shutdown_timeout_ = detail::usual_shutdown_timeout;
};

}  // namespace cotls
