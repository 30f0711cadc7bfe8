#pragma once

#include <cotls/alpn_mismatch.hpp>
#include <cotls/certificate_query.hpp>
#include <cotls/channel_binding_kind.hpp>
#include <cotls/connection_info.hpp>
#include <cotls/context.hpp>
#include <cotls/detail/channel/channel.hpp>
#include <cotls/detail/channel/hello_framing.hpp>
#include <cotls/detail/channel/input_chunk.hpp>
#include <cotls/detail/engine/connection_options.hpp>
#include <cotls/detail/engine/phase.hpp>
#include <cotls/detail/support/role.hpp>
#include <cotls/early_data.hpp>
#include <cotls/error.hpp>
#include <cotls/key_update.hpp>
#include <cotls/peer_info.hpp>
#include <cotls/session.hpp>
#include <cotls/step.hpp>

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;
struct x509_store_ctx_st;

namespace cotls::detail {

namespace asio = boost::asio;

struct dialogue;
struct early_reading;
struct early_sending;
class question;
class session_origin;
struct found_session;

struct ssl_deleter {
  void operator()(ssl_st* ssl) const noexcept;
};

/// What a read came to, and what it has taken of its thread's time: fairness counts that.
struct read_step : step {
  std::size_t records = 0;
  std::size_t ciphertext = 0;   // bytes
};

/** One TLS connection over a channel: no socket, executor, clock or thread.

    Every call answers with a step and never waits. The only caller of OpenSSL's connection
    functions, and with `take_openssl_error` the only reader of their results.
*/
class ssl_engine {
 public:
  /** Seals the context and makes the connection.
      @par Errors as `context_state::seal`; errc::no_host_name; errc::invalid_host_name */
  ssl_engine(client_context const& context, channel& over, connection_options const& options);
  ssl_engine(server_context const& context, channel& over);

  /** Makes a connection from a context that is the caller's, taken as it is; OpenSSL keeps it
      alive, but not what its callbacks use. `set_role` says which end the connection is. */
  ssl_engine(ssl_ctx_st* context, channel& over);

  /** Takes a connection over that was made elsewhere, and was not yet used. */
  ssl_engine(ssl_st* made, channel& over);

  ssl_engine(ssl_engine const&) = delete;
  ssl_engine& operator=(ssl_engine const&) = delete;
  ~ssl_engine();

  /** Says which end this is. Without effect once the handshake has begun. */
  void set_role(role end) noexcept;

  /** Says which protocols this connection offers, or chooses from, instead of its context's. A
      server's policy is for a client that offers others only.
      @par Errors errc::invalid_alpn_protocol; errc::invalid_setting once the handshake has begun,
      and on a server whose context chooses by a callback that may be the program's */
  void set_alpn(std::vector<std::string> const& protocols, alpn_mismatch policy);

  /** Goes on with the handshake (`SSL_do_handshake`). Done: want::nothing without an error. */
  step handshake();

  /** Receives what is here of a client's hello. Until it is whole, OpenSSL hears nothing of it. */
  hello_arrival await_hello();

  /** Returns how long a client's hello may be, in bytes. */
  std::size_t max_hello() const noexcept;

  /** Returns how much of a hello that is awaited is here. */
  std::size_t hello_bytes() const noexcept { return channel_->ahead().size(); }

  /** Fills the buffers from as many records as are here, up to 64 (`SSL_read_ex`). Bytes first: an
      error or an end behind them is held for the next call. The peer's close_notify is
      asio::error::eof. want::output: too much ciphertext waits to leave (`must_send`), or enough
      records without data were taken at one go, and the call is to be made again. */
  read_step read(std::span<asio::mutable_buffer const> buffers);

  /** Copies what a read would take, up to 16 KiB, and leaves it for the next one; otherwise as
      `read`. */
  read_step peek(std::span<asio::mutable_buffer const> buffers);

  /** Encrypts up to 64 KiB of the buffers, joining small ones into records (`SSL_write_ex`).
      want::output, with no bytes taken: so much ciphertext waits to leave that nothing more is
      accepted. */
  step write(std::span<asio::const_buffer const> buffers);

  /** Has a server's handshake be done, once, where early data is here that was accepted
      (`SSL_read_early_data`). Without effect once it has begun. @par Errors std::bad_alloc */
  void stop_at_early_data();

  /** Fills the buffers from the early data of a server's client, with the handshake as far as it
      goes. asio::error::eof: it is over, or there is none. */
  step read_early(std::span<asio::mutable_buffer const> buffers);

  /** Encrypts as `write` does, while the handshake of a client whose early data was accepted is not
      done (`SSL_write_early_data`). errc::handshake_not_done: it was not. */
  step write_early(std::span<asio::const_buffer const> buffers);

  /** Sends close_notify, once (`SSL_shutdown`), and nothing after it. Reading goes on. want::input
      while a message of the peer's is half here. */
  step close_write();

  /** Sends close_notify, once, and discards a record of what arrives before the peer's, whose
      length is in `bytes`; done when there are none. */
  read_step shutdown();

  /** Sends a key update, after which we send with another key (`SSL_key_update`). want::input while
      a message of the peer's is half here. */
  step update_key(key_update asked);

  /** Asks a client for its certificate, unless it was asked and has not answered, and reads until
      it has (`SSL_verify_client_post_handshake`). errc::unread_data: its answer is behind data. */
  step request_certificate();

  /** Tries to send what is unsent, without OpenSSL. */
  void flush() { channel_->flush(); }

  std::size_t unsent() const noexcept { return channel_->unsent(); }

  /** True when so much ciphertext waits to leave that nothing more is read. */
  bool must_send() const noexcept;

  /** True when the peer waits for the flight that has ended the handshake. */
  bool peer_awaits_flight() const noexcept;

  /** Lets a handshake's last flight leave that was held for the first data. */
  void send_flight() noexcept { channel_->send_flight(); }

  /** True once the connection has failed, which the peer is told by an alert, or has told us. */
  bool failed() const noexcept { return phase_ == phase::refused || phase_ == phase::failed; }

  phase at() const noexcept { return phase_; }

  /** Returns what the program is asked when a step has said so; null when OpenSSL was stopped by a
      callback of an adopted context, which nobody here can answer for. */
  std::shared_ptr<question> asked() const noexcept;

  /** The transport failed to take ciphertext; what was unsent is gone. */
  error_code const& send_error() const noexcept { return channel_->send_error(); }

  /** Why nothing more can be sent: the peer's alert, should it be here unread, or what the transport
      said; empty while all is well. */
  error_code send_failure() noexcept;

  /** Says that input may be here again. */
  void input_arrived() noexcept { channel_->set_dry(false); }

  /** Gives ciphertext that was received before the engine was made. */
  void give_input(void const* data, std::size_t size) { channel_->give(data, size); }

  /** Treats the transport's end as the peer's close_notify. */
  void set_truncation_is_end(bool value) noexcept { truncation_is_end_ = value; }

  /** Lets OpenSSL receive more than the record it needs; on by default. (`SSL_set_read_ahead`) */
  void set_read_ahead(bool value) noexcept;

  /** Says that the handshake has failed for a reason that is none of OpenSSL's: a deadline, or the
      transport. */
  void give_up_handshake(error_code why);

  /** True when the transport is free for another use: both sides have sent close_notify, or the
      handshake has failed, and nothing of ours has still to leave. */
  bool is_over() const noexcept;

  /** Takes back ciphertext that was given and not read; from a peer that does not speak TLS, all
      that it has said.
      @par Errors errc::read_ahead when OpenSSL holds bytes of the transport */
  std::vector<std::byte> take_back_input();

  bool handshake_done() const noexcept { return was_opened(phase_); }
  bool is_server() const noexcept;

  connection_info info() const;
  peer_info peer() const;

  /** Returns the newest session that the server has given, if it has. */
  std::optional<cotls::session> session() const;

  /** Derives a key from those of the connection, which its other end derives, too.
      @par Errors errc::handshake_not_done; errc::no_extended_master_secret; invalid_argument for no
      bytes or for a context longer than 65,535; OpenSSL's */
  std::vector<unsigned char> export_key(std::string_view label,
                                        std::optional<asio::const_buffer> context,
                                        std::size_t length) const;

  /** Returns what stands for the connection in a protocol above it.
      @par Errors errc::handshake_not_done; errc::no_extended_master_secret;
      errc::no_channel_binding */
  std::vector<unsigned char> channel_binding(channel_binding_kind kind) const;

  /** Returns all that OpenSSL said, when it was OpenSSL that failed with this code. */
  failure failure_details(error_code code) const;

  /** Makes the exception for an operation that failed with this code. */
  error failure_of(error_code code, char const* operation) const;

  /** Makes the exception for a handshake that failed with a peer, which it names. */
  error handshake_failure(error_code code, std::string const& peer) const;

  /** Remembers that an operation has failed, for `last_error`. */
  void note_failure(error_code code, char const* operation) noexcept;

  /** The failure of the operation that failed last, as an awaitable throws it; without an error
      code while none has. */
  error last_error() const;

  /** The name or address that the peer is verified against; empty when there is none. */
  std::string host() const;

  /** Lends the connection to the program, which may have set anything since. */
  ssl_st* native_handle() const noexcept {
    handle_was_lent_.store(true, std::memory_order_relaxed);
    return ssl_.get();
  }

  /** Decides on each certificate of the peer's; is told what OpenSSL thinks of it. */
  using verifier = std::function<bool(bool accepted, x509_store_ctx_st* store)>;

  /** Sets what is asked of the peer (`SSL_VERIFY_…`), how long its chain may be, and who decides
      instead of the context's callback. An exception of the verifier's refuses the certificate. */
  void set_verify_mode(int mode) noexcept;
  void set_verify_depth(int depth) noexcept;
  void set_verifier(verifier decides);

  /** Returns the engine of a connection; null for one that others have made with a context of ours,
      or given another BIO. */
  static ssl_engine* serving(ssl_st const* ssl) noexcept;

  /** Called by OpenSSL's verification for each certificate. */
  bool verify(bool accepted, x509_store_ctx_st* store) noexcept;

  /** The same as OpenSSL's callback, for a context whose connections are ours. */
  static int on_verify(int accepted, x509_store_ctx_st* store);

  /** Verifies a chain, and lets the program decide on the whole, in the place of OpenSSL's
      `X509_verify_cert`. */
  static int on_verify_chain(x509_store_ctx_st* store);

  /** Called by OpenSSL for the OCSP response of a server, or that there is none, once its chain was
      verified (`SSL_CTX_set_tlsext_status_cb`). */
  static int on_ocsp_response(ssl_st* ssl, void* unused);

  /** The alert that ends a connection which the program refuses, while it is being said. */
  std::optional<alert> refusal() const noexcept {
    return record_ ? record_->refusal : std::nullopt;
  }

  /** Called by OpenSSL for early data that may be accepted (`SSL_CTX_set_allow_early_data_cb`). */
  static int on_early_data(ssl_st* ssl, void* unused);

  /** Called by OpenSSL when a certificate of ours is needed (`SSL_CTX_set_cert_cb`). */
  static int on_certificate(ssl_st* ssl, void* unused);

  /** Called by OpenSSL for each session that a server gives us (`SSL_CTX_sess_set_new_cb`). */
  static int on_new_session(ssl_st* ssl, ssl_session_st* session);

 private:
  /// What most connections do not need.
  struct record {
    failure fatal;         // what is known of `fatal_`
    error_code refused_as;   // what it is called that a chain was refused, if not OpenSSL's way
    error_code last;       // of the operation that failed last
    char const* last_operation = nullptr;
    std::shared_ptr<detail::dialogue> dialogue;   // with the program, where the context has hooks
    std::optional<alert> refusal;   // what OpenSSL is to say to a peer that it would not refuse
    std::string server;    // with special options, whose sessions are no other connection's
    std::string variety;
    std::optional<cotls::session> offered;   // by the program
    std::shared_ptr<early_sending> sending;   // by a client, which has early data
    std::shared_ptr<early_reading> receiving;   // by a server, which looks for it
    void const* resumes = nullptr;   // OpenSSL's session, where the program is told of another
    std::vector<unsigned char> finished;   // the peer's last, when it was asked for a certificate
    bool judges_late = false;   // its answer is here, and the program is asked about it
    bool answered = false;     // it has, and nobody was told so
  };

  // RFC 8446 section 5.5: "For AES-GCM, up to 2^24.5 full-size records (about 24 million) may be
  // encrypted on a given connection while keeping a safety margin".
  static constexpr std::uint32_t max_key_records = 1u << 23;

  class receive_scope;
  enum class call : std::uint8_t {
    handshake, read_early, write_early, read, peek, write, shutdown
  };
  static constexpr bool is_of_handshake(call what) noexcept { return what <= call::write_early; }

  ssl_engine(std::shared_ptr<context_state> context, channel& over);
  void observe_verification() noexcept;
  void note_refused_certificate(x509_store_ctx_st* store, bool unpinned);
  void forget_refused_certificate() noexcept;
  void set_peer(connection_options const& options);
  void set_host(std::string const& host, std::vector<std::string> const& others);
  void set_server_name(connection_options const& options);
  void resume_at(connection_options const& options);
  void offer_sessions();
  bool offer_given_session();
  bool offer_session(ssl_session_st* session);
  session_origin origin_of_sessions() const;
  bool is_remembered() const noexcept;
  bool session_may_be_kept() const noexcept;
  bool verifies_as_all_do() const noexcept;
  void remember_session(ssl_session_st* session) const noexcept;
  void remember_renewed_session() noexcept;
  std::string session_key() const;
  bool negotiated() const noexcept;
  bool has_extended_master_secret() const noexcept;
  void check_keys(char const* doing) const;
  std::vector<unsigned char> first_finished() const;
  std::vector<unsigned char> digest_of_server() const;

  bool decide(bool accepted, x509_store_ctx_st* store);
  bool decide_on_chain(bool accepted, x509_store_ctx_st* store) noexcept;
  bool lacks_pinned_key(x509_store_ctx_st* store);
  bool pins_hold();
  bool ask_about_chain(bool accepted, x509_store_ctx_st* store);

  detail::dialogue& talk();
  step await_answer() noexcept;
  template <class Question>
  step ask(std::shared_ptr<Question> const& about, want stopped_for);
  step meet_hello();
  step serve_as_asked();
  step refuse_client(alert why, error_code reason);
  int find_certificate();
  certificate_query query_of_peer() const;

  bool has_last_word() const noexcept;
  void hold_tickets() noexcept;
  void send_tickets() noexcept;
  step conclude() noexcept;
  step judge_chain();
  step judge_established();
  step refuse(error_code why, std::string remark, alert told) noexcept;
  void say_why(alert told) noexcept;
  void withhold();
  void let_go() noexcept;

  int judge_ocsp_response() noexcept;
  stapled ocsp_response() const noexcept;
  step ready_to_say_more();
  std::size_t peer_finished(std::span<unsigned char> into) const noexcept;
  bool awaits_late_answer() const noexcept { return record_ && !record_->finished.empty(); }
  bool judges_late_answer() const noexcept { return record_ && record_->judges_late; }
  step go_on_with_late_answer(call what);
  step heed_late_answer() noexcept;
  step judge_late_answer() noexcept;
  step await_certificate(channel::use const& use);
  void count_sent(std::size_t bytes) noexcept {
    constexpr std::size_t full_record = 16 * 1024;   // RFC 8446 section 5.1
    key_room_ -= std::min<std::uint64_t>(key_room_, bytes);
    key_records_ += static_cast<std::uint32_t>((bytes + full_record - 1) / full_record);
  }
  bool key_is_used_up() const noexcept {
    return key_room_ == 0 || key_records_ >= max_key_records;
  }
  void update_key_in_time();
  void begin_new_key() noexcept;

  void prepare_early_data(connection_options const& options);
  void plan_early_data() noexcept;
  bool has_early_data() const noexcept;
  int shake_hands(call what) noexcept;
  step end_early_data();
  void expect_no_early_data() noexcept;
  step hear_early_data(channel::use const& use);
  step heed_early_data(channel::use const& use);
  bool takes_early_data() const noexcept;
  early_data early_outcome() const noexcept;
  peer_info peer_as(bool proved) const;
  step hear_hello();
  void settle_down(channel::use const& use) noexcept;

  static ssl_st* make_ssl(ssl_ctx_st* context);
  void take(ssl_st* made);
  bool must_meet_hello() const noexcept;
  step begin_with_hello();
  bool must_prepare() const noexcept;
  step prepare();
  bool must_fetch_sessions() const noexcept;
  step fetch_sessions();
  std::vector<std::string> names_of_sessions() const;
  std::string stored_name() const;
  void offer_fetched_session(std::vector<found_session> const& found);
  void store_session(cotls::session const& newest) const;
  step choose_host(std::string const& name);
  void shape_records() noexcept;
  void serve_by(std::shared_ptr<context_state> host);
  void begin();
  void count_round_trip() noexcept;
  void succeeded(call what) noexcept;
  step stopped(want for_what) noexcept;
  bool may_wait_for_signer() const noexcept;
  std::optional<int> shake_hands_and_sign(call what);
  void give_up_signature() noexcept;
  step settled(answer without_openssl) const noexcept;
  step perform(call what, void* data = nullptr, std::size_t size = 0);
  bool missed_certificate(error_code const& failed) const noexcept;
  step needs_input(shortage why) const noexcept;
  step refuse_hello();
  bool may_renegotiate() const noexcept;
  step renegotiate(channel::use const& use);
  step fail(error_code code, status classified, std::string stack = {}) noexcept;
  bool more_is_here() const noexcept;
  bool nothing_to_do() const noexcept;
  bool holds_input() const noexcept;
  read_step read_records(std::span<asio::mutable_buffer const> buffers);
  step fill(std::span<asio::mutable_buffer const> buffers, channel::use const& use);
  bool buffer_record(std::size_t wanted) noexcept;
  step read_buffered(std::span<asio::mutable_buffer const> buffers);
  std::size_t kept() const noexcept { return std::size_t{read_end_} - read_begin_; }
  read_step keep_more(std::span<asio::mutable_buffer const> buffers);
  read_step peek_uncopied(std::span<asio::mutable_buffer const> buffers);
  void release_buffers() noexcept;
  record& failures();

  std::shared_ptr<context_state> context_;   // owner of its callbacks; null: the caller is
  channel* channel_;
  std::unique_ptr<ssl_st, ssl_deleter> ssl_;
  std::unique_ptr<verifier> verifier_;   // most connections have none
  std::unique_ptr<record> record_;   // none while all is well: most connections need none
  input_chunk read_buffer_;      // plaintext that is read in small pieces, or was looked at
  error_code held_;       // reported once the bytes before it were delivered
  error_code fatal_;      // of a phase that says so: what every later call answers
  std::uint64_t key_room_ = ~std::uint64_t{0};   // plaintext, in bytes, that our key is still for
  std::uint32_t key_records_ = 0;   // that were sent with it
  std::uint32_t said_ = 0;       // bytes, when the handshake has waited last
  std::uint32_t tickets_ = 0;    // bytes of them, behind the handshake, that nobody waits for
  std::uint16_t first_record_;   // plaintext, of what is written after data was read
  std::uint16_t next_record_;
  phase phase_ = phase::fresh;
  std::uint8_t round_trips_ = 0;   // of the handshake, those whose answer was waited for
  bool write_waits_ = false;   // OpenSSL has begun a record that could not leave
  bool data_was_read_ = false;
  bool truncation_is_end_ = false;
  bool hello_was_met_ = false;   // by the program and the choice of a host
  bool sessions_were_fetched_ = false;   // from the program's store, or there is none
  bool names_server_ = false;   // sessions can be told from those of other servers
  bool session_came_ = false;
  mutable std::atomic<bool> handle_was_lent_ = false;
  stapled ocsp_ = stapled::none;   // what a judge has said
  bool pinned_ = false;        // a chain of the peer's was verified that has a pinned key
  std::uint16_t read_begin_ = 0;
  std::uint16_t read_end_ = 0;
  std::uint16_t port_ = 0;   // with the host, whose sessions are ours; 0: nobody's
};

}  // namespace cotls::detail
