#pragma once

#include <cotls/alpn_mismatch.hpp>
#include <cotls/channel_binding_kind.hpp>
#include <cotls/client_options.hpp>
#include <cotls/connection_info.hpp>
#include <cotls/context.hpp>
#include <cotls/detail/engine/ssl_engine.hpp>
#include <cotls/error.hpp>
#include <cotls/peer_info.hpp>
#include <cotls/session.hpp>
#include <cotls/step.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct bio_st;

namespace cotls {

namespace asio = boost::asio;

/** A TLS connection with no socket at all: bytes in, bytes out.

    Plaintext goes through `read` and `write`; ciphertext from the peer through `input`, ciphertext
    for the peer through `output`. No call waits: each says with `step::want` what it needs before
    it can go on. Whatever a call answers, an error included, there may be output for the peer, such
    as the alert that tells it why: take it before giving up.

    @code
    for (;;) {
      step const next = tls.handshake();
      send(tls.output());                          // whatever is there
      if (next.error) throw tls.last_error();
      if (next.want == want::nothing) break;
      if (next.want == want::input) tls.input(asio::buffer(receive()));
    }
    @endcode

    Move-only; not to be used from two threads at once. One that was moved from is empty: its calls
    fail with `errc::not_connected`, and what is asked of it throws that, but for `native_handle`,
    which is null, and `last_error`; it has no output.
*/
class engine {
 public:
  /** Makes a client. The options' host is verified, and asked for by name (SNI).
      @par Errors `errc::no_host_name` when the context verifies and no host is given;
      `errc::invalid_host_name`, `errc::invalid_alpn_protocol`; the context's, which is sealed */
  engine(client_context const& context, client_options const& options);

  /** Makes a server. @par Errors `errc::no_certificate`, `errc::no_roots` */
  explicit engine(server_context const& context);

  /** Makes a client, or a server, over a BIO of OpenSSL's, or a chain of them, which it adopts: the
      ciphertext is received and sent by it.

      There is no output to take then, and `input` hands in what was received before. Where a
      call would wait, `step::want` says for what: want::connect and want::accept come from BIOs
      that connect or accept and are not done, want::output from one that takes no more. Call again
      then; a write, with the same plaintext. The end of the BIO is the end of the input; its
      failures have `status::syscall`.
      @param transport  Taken over at once, also when the constructor throws. Not null; one that
                        blocks makes the calls block.
      @par Errors `invalid_argument` for null; as above */
  engine(client_context const& context, client_options const& options, bio_st* transport);
  engine(server_context const& context, bio_st* transport);

  /** As `stream::set_alpn`. */
  void set_alpn(std::vector<std::string> const& protocols,
                alpn_mismatch policy = alpn_mismatch::refuse);

  /** Goes on with the handshake; done when nothing is wanted and there is no error. */
  step handshake();

  /** Reads early data, and goes on with the handshake as far as that takes: a server's first call,
      until it answers `asio::error::eof`, behind which the handshake goes on. As
      `stream::async_read_early`. */
  step read_early(asio::mutable_buffer into);

  /** Encrypts plaintext for a client whose early data was accepted, before the handshake is done; as
      `stream::async_write_early`, and otherwise as `write`. */
  step write_early(asio::const_buffer from);

  /** Returns the work of the hook that a step has asked for (want::client_hello, want::certificate,
      want::verification, want::established): await it, on whatever executor, and call again. The
      engine may be gone before it ends.
      @par Errors `errc::nothing_asked` when there is none; also for a second call */
  asio::awaitable<void> answer();

  /** Answers in the place of that work, which is not begun then, or not waited for: call again.
      @par Errors `errc::nothing_asked` when there is no such question, or it was answered */
  void answer(hello_answer const& said);
  void answer(certificate_answer const& said);
  void answer(bool said);

  /** Reads plaintext: fills the buffer from as many records as were given.
      `asio::error::eof` is the peer's close_notify; `errc::stream_truncated` an end without it.
      want::output after 64 records or 256 KiB without data, too: call again. */
  step read(asio::mutable_buffer into);

  /** Copies what `read` would take, up to 16 KiB, and leaves it there; answers as `read` does. */
  step peek(asio::mutable_buffer into);

  /** Encrypts plaintext, up to 64 KiB a call; `step::bytes` says how much was taken. When more than
      66 KiB of output wait to be taken, nothing is, and want::output is the answer. After
      `close_write`, `errc::write_after_close`. */
  step write(asio::const_buffer from);

  /** Emits close_notify, and nothing after it (RFC 8446 section 6.1); reading goes on. want::input
      while a message of the peer's is half here. Before the handshake is done it does nothing. */
  step close_write();

  /** Emits close_notify and discards a record of what was given, until the peer's close_notify:
      done when nothing is wanted and no bytes are counted. */
  step shutdown();

  /** Emits a key update, after which we send with another key (RFC 8446 section 4.6.3). want::input
      while a message of the peer's is half here; want::output while a write has to be made again.
      @param asked  Whether the peer is to change its key, too.
      @par Errors `errc::needs_tls_1_3`, `errc::handshake_not_done`, `errc::write_after_close` */
  step update_key(key_update asked);

  /** Emits, once, a request for the client's certificate (RFC 8446 section 4.6.2), and reads its
      answer; done when that was verified. Data before it is for `read`, and then call again.
      @par Errors `errc::unread_data` when such data is here; as `stream::async_request_certificate`
  */
  step request_certificate();

  /** Gives ciphertext, which is copied. */
  void input(asio::const_buffer ciphertext);

  /** Lends ciphertext, which is not copied: it must live until it is used up (`unread() == 0`) or
      another piece is given. (Over an adopted BIO it is copied.) */
  void lend_input(asio::const_buffer ciphertext);

  /** Says that there will be no more ciphertext. */
  void end_input();

  /** Returns the ciphertext that was given and not yet used, in bytes. */
  std::size_t unread() const noexcept;

  /** Returns ciphertext for the peer; empty when there is none. Valid until `consume_output`,
      whatever is called meanwhile: what they emit comes behind it. */
  asio::const_buffer output();

  /** Says that so much of the output was taken.
      @par Errors `invalid_argument` for more than there was */
  void consume_output(std::size_t bytes);

  connection_info info() const;
  peer_info peer() const;

  /** Returns the newest session that the server has given, to be kept and offered by a later
      connection; none of a server's end, before there is one (in TLS 1.3 sessions come behind the
      handshake, with the first reads), and where `client_context::on_session` would not be told.
      Ask before the connection is gone: one that ends without close_notify leaves none behind.
      @par Errors As `info` */
  std::optional<cotls::session> session() const;

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
                                        std::size_t length) const;

  /** Returns what stands for the connection in a protocol above it.
      @par Errors `errc::handshake_not_done`; `errc::no_extended_master_secret`;
      `errc::no_channel_binding` where the kind is not defined for the connection */
  std::vector<unsigned char> channel_binding(channel_binding_kind kind) const;

  /** Returns the failure of the call that failed last, with all that OpenSSL said of it; its code
      is empty while none has. */
  error last_error() const;

  /** Returns the connection as OpenSSL has it. */
  ssl_st* native_handle() const noexcept;

 private:
  template <class Call>
  step perform(char const* operation, Call call);

  struct body;
  struct body_deleter {
    void operator()(body* object) const noexcept;
  };
  std::unique_ptr<body, body_deleter> body_;
};

}  // namespace cotls
