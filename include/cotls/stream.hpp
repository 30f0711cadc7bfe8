#pragma once

#include <cotls/alpn_mismatch.hpp>
#include <cotls/channel_binding_kind.hpp>
#include <cotls/client_options.hpp>
#include <cotls/connection_info.hpp>
#include <cotls/context.hpp>
#include <cotls/detail/driver/start.hpp>
#include <cotls/detail/driver/token.hpp>
#include <cotls/detail/operation/core.hpp>
#include <cotls/detail/operation/early_operations.hpp>
#include <cotls/detail/operation/late_operations.hpp>
#include <cotls/detail/support/access.hpp>
#include <cotls/detail/support/held.hpp>
#include <cotls/detail/support/timeouts.hpp>
#include <cotls/error.hpp>
#include <cotls/halves.hpp>
#include <cotls/key_update.hpp>
#include <cotls/lowest_layer.hpp>
#include <cotls/peer_info.hpp>
#include <cotls/session.hpp>
#include <cotls/teardown.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace cotls {

namespace asio = boost::asio;

/** A TLS connection over a transport, for coroutines and every other completion token.

    Over a TCP or Unix stream socket, ciphertext goes straight from and to the socket, and an idle
    connection holds no buffers. Over any other AsyncStream it passes through memory. `Next` may be
    a reference, to a transport that must outlive the stream and its operations.

    A stream is one connection: it is not used again after its end. A default-constructed or
    moved-from stream is empty, as are the halves of one: operations on it end with
    `errc::not_connected`, on the handler's own executor or, where it has none, at once; nothing is
    known of its connection; and what wants its transport throws `errc::not_connected`.

    An awaitable that was asked for keeps its connection; one that is started when the stream has
    been destroyed or assigned to ends with `operation_aborted`.

    @par Completion tokens
    Operations follow Asio's rules: associated executor, allocator and cancellation slot, and no
    completion inside the initiating function. `use_awaitable`, and `as_tuple` or `redirect_error`
    over it, give a coroutine of ours, which may finish without suspending; it throws
    `cotls::error`. Without a token: the executor's default token, otherwise `use_awaitable`.

    @par Concurrency
    One read and one write may be pending at once, from one strand (or one thread). A second one of
    the same kind ends with `errc::operation_in_progress`. A lone operation needs no strand over a
    native socket; over another transport, an `io_context` of several threads needs one.

    @par Cancellation
    All types mean the same. The stream is usable after it: a cancelled read has taken nothing, and
    a cancelled write's count says what was taken. (`a || b` discards what a completed loser did: if
    both complete at once, the operator drops one result, a read's bytes with it.)
*/
template <class Next>
class stream {
  using core_type = detail::core<Next>;
  using clock = std::chrono::steady_clock;

 public:
  using next_layer_type = std::remove_reference_t<Next>;
  using executor_type = typename next_layer_type::executor_type;
  using default_token = detail::default_token_t<executor_type>;

  /// The same over a transport with another executor (`as_default_on_t`).
  template <class Executor>
  struct rebind_executor {
    using other = stream<typename next_layer_type::template rebind_executor<Executor>::other>;
  };

  /** Makes an empty stream. */
  stream() noexcept = default;

  /** Makes an empty stream that knows why it is no connection: what a connect that failed hands to
      a completion handler. */
  explicit stream(error reason) : failed_(std::make_unique<error const>(std::move(reason))) {}

  /** Takes over a connected transport as a client; the handshake is still to be done.
      @par Errors `errc::no_host_name` when the context verifies and the options name no host */
  stream(Next next, client_context const& context,
         client_options const& options = client_options())
      : core_(std::make_shared<core_type>(std::forward<Next>(next), context,
                                          detail::access::inner(options))) {
    core_->transport().was_connected();
  }

  /** Takes over a connected transport as a server; the handshake is still to be done.
      @par Errors `errc::no_certificate` */
  stream(Next next, server_context const& context)
      : core_(std::make_shared<core_type>(std::forward<Next>(next), context)) {}

  stream(stream&&) noexcept = default;
  stream& operator=(stream&& other) noexcept {
    if (this != &other) {
      abandon();
      core_ = std::move(other.core_);
      failed_ = std::move(other.failed_);
      handshake_timeout_ = other.handshake_timeout_;
      shutdown_timeout_ = other.shutdown_timeout_;
    }
    return *this;
  }

  /** Drops the connection without close_notify. Operations that are pending end with
      `operation_aborted`. */
  ~stream() { abandon(); }

  /** False for an empty stream. What is asked of one throws `errc::not_connected`, but for
      `native_handle`, which is null. */
  explicit operator bool() const noexcept { return core_ != nullptr; }

  executor_type get_executor() const { return detail::held(core_).executor(); }

  /** Lends the transport to the program: it is configured, looked at, or waited for beside the
      stream. Its modes stay, and what the program waits for there goes on, until `cancel`, a write
      that is cut beside a read, or the stream's end. */
  next_layer_type& next_layer() const { return detail::held(core_).expose(); }
  auto& lowest_layer() const { return next_layer().lowest_layer(); }

  /** Return the addresses of the socket below, our own and the peer's, without lending it: what
      `next_layer` gives up for the sake of a program that has the socket, too, stays.
      @par Errors `errc::not_connected`; the system's, such as `asio::error::not_connected` once the
      peer's is forgotten */
  auto local_endpoint() const
    requires detail::has_endpoints<next_layer_type>
  {
    return detail::held(core_).next().lowest_layer().local_endpoint();
  }
  auto remote_endpoint() const
    requires detail::has_endpoints<next_layer_type>
  {
    return detail::held(core_).next().lowest_layer().remote_endpoint();
  }
  auto local_endpoint(error_code& code) const
    requires detail::has_endpoints<next_layer_type>
  {
    return detail::held(core_).next().lowest_layer().local_endpoint(code);
  }
  auto remote_endpoint(error_code& code) const
    requires detail::has_endpoints<next_layer_type>
  {
    return detail::held(core_).next().lowest_layer().remote_endpoint(code);
  }

  /** Returns the connection as OpenSSL has it. */
  ssl_st* native_handle() const noexcept {
    return core_ ? core_->engine().native_handle() : nullptr;
  }

  connection_info info() const { return detail::held(core_).engine().info(); }
  peer_info peer() const { return detail::held(core_).engine().peer(); }

  /** Returns the newest session that the server has given, to be kept and offered by a later
      connection; none of a server's end, before there is one (in TLS 1.3 sessions come behind the
      handshake, with the first reads), and where `client_context::on_session` would not be told.
      Ask before the connection is gone: one that ends without close_notify leaves none behind.
      @par Errors `errc::not_connected` */
  std::optional<cotls::session> session() const {
    return detail::held(core_).engine().session();
  }

  /** Derives a key that the other end derives, too, for the same label and context (RFC 8446
      section 7.5, RFC 5705). It is as secret as the connection; nobody wipes it but the caller.
      @param label    What it is for: one that is registered, or begins with "EXPERIMENTAL". ASCII.
      @param context  What it is bound to beside, up to 65,535 bytes, of which OpenSSL takes about
                      900 in TLS 1.2. There, none is not the same as an empty one.
      @param length   In bytes; of TLS 1.3 no more than 255 digests of the suite's (8,160 bytes).
      @par Errors `errc::handshake_not_done`; `errc::no_extended_master_secret`; `invalid_argument`
      for no length or a longer context; OpenSSL's, such as for a label that TLS itself uses */
  std::vector<unsigned char> export_key(std::string_view label,
                                        std::optional<asio::const_buffer> context,
                                        std::size_t length) const {
    return detail::held(core_).engine().export_key(label, context, length);
  }

  /** Returns what stands for the connection in a protocol above it.
      @par Errors `errc::handshake_not_done`; `errc::no_extended_master_secret`;
      `errc::no_channel_binding` where the kind is not defined for the connection */
  std::vector<unsigned char> channel_binding(channel_binding_kind kind) const {
    return detail::held(core_).engine().channel_binding(kind);
  }

  /** Returns the failure of the operation that failed last, as an awaitable throws it: all that is
      known beside the code that a completion handler gets. Its code is empty while none has failed;
      cancelled operations do not count. Of an empty stream, why connecting failed, or
      `errc::not_connected`. */
  error last_error() const {
    if (core_) return core_->engine().last_error();
    return failed_ ? *failed_ : error(errc::not_connected);
  }

  /** The time for a whole handshake, 10 s by default, and for a whole shutdown, 2 s. */
  void set_handshake_timeout(clock::duration limit) noexcept { handshake_timeout_ = limit; }
  void set_shutdown_timeout(clock::duration limit) noexcept { shutdown_timeout_ = limit; }
  clock::duration shutdown_timeout() const noexcept { return shutdown_timeout_; }

  /** Gives bytes of the peer's that were received before the stream was made, as after STARTTLS.
      They are copied. To be called before the handshake.
      @par Errors `errc::not_connected` */
  void give_input(asio::const_buffer received) {
    detail::held(core_).engine().give_input(received.data(), received.size());
  }

  /** Says which protocols this connection offers, or chooses from, whatever its context says (RFC
      7301). To be called before the handshake.
      @param policy  What a server does when its client offers others only.
      @par Errors `errc::invalid_alpn_protocol`; `errc::not_connected`; `errc::invalid_setting` once
      the handshake has begun, and on a server whose context was adopted or lent (`native`) and has
      no `set_alpn` of its own: whose callback chooses is not known then */
  void set_alpn(std::vector<std::string> const& protocols,
                alpn_mismatch policy = alpn_mismatch::refuse) {
    detail::held(core_).engine().set_alpn(protocols, policy);
  }

  /** Treats the transport's end as the peer's close_notify, for peers that never send it, where the
      protocol above tells a whole message from a cut one. Reads then end with
      `asio::error::eof`.
      @par Errors `errc::not_connected` */
  void tolerate_truncation(bool value = true) {
    detail::held(core_).engine().set_truncation_is_end(value);
  }

  /** Lets a receive take more than the record at hand; on by default. Off, nothing behind the end
      of TLS is taken from the transport, which `release` needs. To be called before the
      handshake. */
  void set_read_ahead(bool value) { detail::held(core_).engine().set_read_ahead(value); }

  /** Gives the transport back, after `async_shutdown` or a failed handshake; the stream is empty
      then.

      @return The transport, and the bytes of `give_input` that were not read, or that a transport
      in memory has received behind the end. Of a peer that turned out not to speak TLS, all that it
      has said.
      @par Errors `errc::not_over` when the peer or we have not sent close_notify, when something
      that we have to send has not left (another `async_shutdown` sends it), or an operation is
      pending; `errc::read_ahead` when bytes behind the end were read ahead; `errc::not_connected`.
      The stream stays as it was.
  */
  std::pair<Next, std::vector<std::byte>> release() {
    core_type& whole = detail::held(core_);
    bool const busy = whole.reading.busy || whole.writing.busy;
    if (busy || !core_->engine().is_over()) throw error(errc::not_over);
    std::vector<std::byte> unread = core_->engine().take_back_input();
    auto const last = std::move(core_);
    return {last->take_next(), std::move(unread)};
  }

  /** Splits the stream into its directions, which may live in different coroutines (of one strand).
      The connection ends when both are gone. The halves of an empty stream are empty. */
  std::pair<read_half<Next>, write_half<Next>> split() && {
    auto const whole = std::move(core_);
    return {read_half<Next>(whole), write_half<Next>(whole)};
  }

  /** Performs the handshake (RFC 8446 section 2). `void(error_code)`

      Completes when the connection may be used. A failed handshake sends its alert first. Over a
      native socket the last flight may leave with the first data: a client's once the handler that
      goes on from here has returned, at the latest, unless `next_layer` was called, which makes the
      socket the program's, too; a server's tickets (RFC 8446 section 4.6.1) before it waits for
      input.
      @par Errors `errc::handshake_timeout`, `errc::handshake_truncated`; an `alert` when the peer
      refused us; OpenSSL's, such as "certificate verify failed", when we refused the peer; the
      transport's. The stream is of no use after any of them but to give its transport back; a
      handshake that was only cancelled goes on with the next.
  */
  template <class Token = default_token>
  auto async_handshake(Token&& token = Token()) {
    return detail::start_until<detail::handshake_operation<core_type>>(
        core_, handshake_timeout_, std::forward<Token>(token));
  }

  /** Reads what the client of a server has sent with its hello, as far as it is accepted
      (`server_context::set_early_data`); to be called before the handshake, or on a stream of a
      listener with `listener_options::early_data`. `void(error_code, std::size_t)`

      **Whoever has recorded it may have sent it**, until the handshake is done. It shakes hands as
      far as it takes, hooks included, and has a handshake's deadline. Once it ends with
      `asio::error::eof`, there is no more, or there was none: go on with `async_handshake`. What is
      known of the client is of its earlier connection, and `peer().verified()` is false till then.
      (RFC 8446 section 2.3; `SSL_read_early_data`)
      @par Errors `asio::error::eof`; `asio::error::operation_not_supported` on a client; as
      `async_handshake`. That one, and reads and writes, fail with `errc::unread_data` while early
      data is here. */
  template <class Buffers, class Token = default_token>
  auto async_read_early(Buffers const& buffers, Token&& token = Token()) {
    return detail::start_until<detail::early_read_operation<core_type, Buffers>>(
        core_, handshake_timeout_, std::forward<Token>(token), buffers);
  }

  /** Writes all of the buffers without a wait for the rest of the handshake, to a client whose early
      data was accepted (0.5-RTT). `void(error_code, std::size_t)` Once the handshake is done it is
      `async_write`. Only who has the keys of the client's session can read it; whether that one is
      there now, nobody knows yet. (`SSL_write_early_data`)
      @par Errors `errc::handshake_not_done` when no early data was accepted, or looked for;
      otherwise as `async_write` */
  template <class Buffers, class Token = default_token>
  auto async_write_early(Buffers const& buffers, Token&& token = Token()) {
    return detail::start<detail::early_write_operation<core_type, Buffers>>(
        core_, std::forward<Token>(token), buffers, detail::amount::all);
  }

  /** Reads what is here, waiting for at least one byte. `void(error_code, std::size_t)`

      Fills the buffers from as many records as have arrived. Empty buffers complete at once.
      @par Errors `asio::error::eof` after the peer's close_notify; `errc::stream_truncated` when
      the transport ended without one (RFC 8446 section 6.1); an `alert`; OpenSSL's; the
      transport's. What came before an error is delivered first.
  */
  template <class Buffers, class Token = default_token>
  auto async_read_some(Buffers const& buffers, Token&& token = Token()) {
    return detail::start<detail::read_operation<core_type, Buffers>>(
        core_, std::forward<Token>(token), buffers);
  }

  /** Looks at what is here, waiting for at least one byte, and leaves it for the next read, which
      begins with it. `void(error_code, std::size_t)`

      Up to 16 KiB are seen, which the stream keeps until they are read; a peek at some of them does
      not wait for more. It is a read in all else, and one of the two may be pending: its errors are
      those that the next read ends with, too. */
  template <class Buffers, class Token = default_token>
  auto async_peek_some(Buffers const& buffers, Token&& token = Token()) {
    return detail::start<detail::peek_operation<core_type, Buffers>>(
        core_, std::forward<Token>(token), buffers);
  }

  /** Writes some of the buffers: up to 64 KiB. `void(error_code, std::size_t)`

      Completes when their ciphertext is in the transport's hands. The buffers of a sequence are
      joined into records of up to 16 KiB. Empty buffers send no record and complete at once.
      @par Errors `errc::write_after_close`; the transport's, or the peer's `alert` that explains it;
      `errc::unread_data` amid a renegotiation of TLS 1.2, which only adopted contexts allow.
  */
  template <class Buffers, class Token = default_token>
  auto async_write_some(Buffers const& buffers, Token&& token = Token()) {
    return detail::start<detail::write_operation<core_type, Buffers>>(
        core_, std::forward<Token>(token), buffers, detail::amount::some);
  }

  /** Writes all of the buffers. `void(error_code, std::size_t)` Otherwise as `async_write_some`. */
  template <class Buffers, class Token = default_token>
  auto async_write(Buffers const& buffers, Token&& token = Token()) {
    return detail::start<detail::write_operation<core_type, Buffers>>(
        core_, std::forward<Token>(token), buffers, detail::amount::all);
  }

  /** Changes the key that we send with, before anything else is sent (RFC 8446 section 4.6.3).
      `void(error_code)` Completes when the message has left; reading goes on.
      @param asked  Whether the peer is to change its key, too, which it does before it sends more.
      @par Errors `errc::needs_tls_1_3`; `errc::handshake_not_done`; `errc::write_after_close`;
      `errc::operation_in_progress` while a write is pending; the transport's */
  template <class Token = default_token>
  auto async_update_key(key_update asked, Token&& token = Token()) {
    return detail::start<detail::key_update_operation<core_type>>(
        core_, std::forward<Token>(token), asked);
  }

  /** Asks the client of a server for its certificate, and waits until its answer was verified (RFC
      8446 section 4.6.2); `peer` then knows it. `void(error_code)`

      Both contexts must have `set_late_authentication`. What is asked is the context's verify mode,
      which says whether a client may have none; one whose certificate is refused, or whom
      `on_established` refuses, which is asked again, ends the connection. It has the deadline of a
      handshake. Cut by that, by a cancellation, or by data, it is gone on with by the next call,
      which does not ask again: nor does one whose answer has come while data was read, which
      completes at once.
      @par Errors `errc::needs_tls_1_3`; `errc::handshake_not_done`; `errc::unread_data` when data
      of the client's is here that it has sent before its answer: read it, and call again;
      `errc::peer_not_allowed`; `errc::handshake_timeout`; `errc::operation_in_progress` while a
      read or a write is pending; OpenSSL's, such as "certificate verify failed", or for a client
      that allows no late authentication */
  template <class Token = default_token>
  auto async_request_certificate(Token&& token = Token()) {
    return detail::start_until<detail::certificate_request_operation<core_type>>(
        core_, handshake_timeout_, std::forward<Token>(token));
  }

  /** Sends close_notify and ends our direction; reading goes on. `void(error_code)`
      (RFC 8446 section 6.1: "each party MUST send a close_notify alert before closing its write
      side".) It has no deadline: it waits while the peer takes nothing, and for the rest of a ticket
      or a key update that is half here.
      @par Errors The transport's. */
  template <class Token = default_token>
  auto async_close_write(Token&& token = Token()) {
    return detail::start<detail::close_write_operation<core_type>>(core_,
                                                                   std::forward<Token>(token));
  }

  /** Sends close_notify and waits for the peer's, discarding data. `void(error_code)`

      Never hangs: it has a deadline. While a read is pending elsewhere, use `async_close_write`,
      and let that read see the peer's end. A peer that has closed its transport behind its
      close_notify is no failure: it does not miss ours.
      @par Errors `errc::shutdown_timeout`; `errc::stream_truncated` when the peer ended the
      transport instead; `errc::operation_in_progress` while a read or a write is pending; the
      transport's.
  */
  template <class Token = default_token>
  auto async_shutdown(Token&& token = Token()) {
    return detail::start_until<detail::shutdown_operation<core_type>>(
        core_, shutdown_timeout_, std::forward<Token>(token));
  }

  /** Ends the operations that are pending with `operation_aborted`, as sockets' `cancel` does.

      What they leave behind is what any cancellation leaves: a read has taken nothing, a write's
      count says what was taken, a handshake may be gone on with. Operations that are done keep
      their results. Whatever else waits on the transport ends, too.
      @par Concurrency From the stream's strand, like an operation. */
  void cancel() {
    if (core_) core_->cancel();
  }

 private:
  friend detail::access;

  void abandon() {
    if (core_) core_->abandon();
  }

  std::shared_ptr<core_type> core_;
  std::unique_ptr<error const> failed_;   // of a connection that never was
  clock::duration handshake_timeout_ = detail::usual_handshake_timeout;
  clock::duration shutdown_timeout_ = detail::usual_shutdown_timeout;
};

/** A TLS connection over TCP. */
using tcp_stream = stream<asio::ip::tcp::socket>;

/** A TLS connection over a Unix domain socket. */
using local_stream = stream<asio::local::stream_protocol::socket>;

extern template class detail::core<asio::ip::tcp::socket>;
extern template class detail::core<asio::local::stream_protocol::socket>;

}  // namespace cotls
