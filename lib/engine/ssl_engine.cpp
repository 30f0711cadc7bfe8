// One connection's calls of OpenSSL:
//
//   handshake / read / write / close_write / shutdown
//        |  channel::use: what it takes is counted, what it sends leaves at its end
//        v
//     perform: the call, between an empty error queue and a drained one -> step
//
// The transport's end and failures never pass through OpenSSL: the channel keeps them, and
// `needs_input` says what it means that OpenSSL has found nothing more to read.

#include <cotls/detail/engine/ssl_engine.hpp>

#include <cotls/detail/support/access.hpp>

#include "context/context_state.hpp"
#include "engine/coalescer.hpp"
#include "engine/seal.hpp"
#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"
#include "settings/connection_settings.hpp"

#include <boost/asio/error.hpp>

#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace cotls::detail {

namespace {

constexpr std::size_t record_overhead = 29;   // of TLS 1.2 with AES-GCM; less with TLS 1.3
// A packet of 1,500 bytes has room for so much beside the headers of IPv6, of TCP with options, and
// the record's own in any suite.
constexpr std::uint16_t packet_record = 1'369;
constexpr std::size_t small_read = 512;   // up to so much is read from a copy of a record's rest

SSL_CTX* sealed(context_state& context) {
  seal(context);
  return context.handle();
}

// From OpenSSL 3.2 on, with read-ahead or without: each header, and then the rest of its record (T36).
bool reads_handshakes_by_header() noexcept {
  static bool const newer = OpenSSL_version_num() >= 0x3020'0000UL;
  return newer;
}

}  // namespace

// While it lives, the channel may receive all that a caller with this much room can read.
class ssl_engine::receive_scope {
 public:
  receive_scope(ssl_engine& engine, std::size_t room) noexcept {
    // Less is OpenSSL's own buffer. Without read-ahead, nothing behind a record may be taken.
    if (room <= max_record || SSL_get_read_ahead(engine.ssl_.get()) != 1) return;
    std::size_t const read = std::min(room, max_write);
    channel_ = engine.channel_;
    channel_->expect(read + read / max_record * record_overhead);
  }
  ~receive_scope() {
    if (channel_) channel_->expect_no_more();
  }
  receive_scope(receive_scope const&) = delete;
  receive_scope& operator=(receive_scope const&) = delete;

 private:
  channel* channel_ = nullptr;
};

ssl_st* ssl_engine::make_ssl(ssl_ctx_st* context) {
  clear_openssl_errors();
  if (SSL* made = SSL_new(context)) return made;
  throw_openssl_error(errc::unexpected_result, "making a connection");
}

void ssl_deleter::operator()(ssl_st* ssl) const noexcept { SSL_free(ssl); }

ssl_engine::ssl_engine(ssl_st* made, channel& over) : channel_(&over) { take(made); }

void ssl_engine::take(ssl_st* made) {
  ssl_.reset(made);
  first_record_ = next_record_ = max_record;
  BIO* bio = channel_->make_bio();
  SSL_set_bio(ssl_.get(), bio, bio);   // takes the reference
  channel_->owner = this;
  // Without auto-retry it stops behind messages that carry no data, and from OpenSSL 3.2 on does not
  // say that it holds more (T34).
  SSL_set_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                               SSL_MODE_AUTO_RETRY);
  // One receive takes a record's header and body, and several small records.
  SSL_set_read_ahead(ssl_.get(), 1);
  observe_verification();
}

ssl_engine::ssl_engine(ssl_ctx_st* context, channel& over) : ssl_engine(make_ssl(context), over) {}

ssl_engine::ssl_engine(std::shared_ptr<context_state> context, channel& over)
    : ssl_engine(sealed(*context), over) {
  context_ = std::move(context);
  begin_new_key();
}

ssl_engine::ssl_engine(client_context const& context, channel& over,
                       connection_options const& options)
    : ssl_engine(access::state(context), over) {
  set_role(role::client);
  set_peer(options);
  if (!options.alpn.empty()) alpn_settings(options.alpn).apply_to(ssl_.get());
  if (options.special && options.special->has_algorithms()) {
    connection_settings(*options.special, context_->handle()).apply_to(ssl_.get());
  }
  resume_at(options);
  prepare_early_data(options);
}

ssl_engine::ssl_engine(server_context const& context, channel& over)
    : ssl_engine(access::state(context), over) {
  set_role(role::server);
  // What such a BIO waits for it must see itself, so that no hello can be looked at before.
  bool const held_back = must_prepare() || context_->settings().peer.on_chain();
  if (held_back && BIO_next(SSL_get_rbio(ssl_.get()))) {
    detail::fail(errc::invalid_setting,
                 "virtual hosts, on_client_hello, on_verify or a session store over an adopted "
                 "BIO");
  }
  shape_records();
  hold_tickets();
}

void ssl_engine::shape_records() noexcept {
  if (context_->settings().records.small_first()) first_record_ = next_record_ = packet_record;
}

void ssl_engine::set_role(role end) noexcept {
  if (SSL_in_before(ssl_.get()) != 1) return;
  if (end == role::client) {
    SSL_set_connect_state(ssl_.get());
  } else {
    SSL_set_accept_state(ssl_.get());
  }
}

ssl_engine* ssl_engine::serving(ssl_st const* ssl) noexcept {
  channel* const over = channel_of(SSL_get_rbio(ssl));
  return over ? over->owner : nullptr;
}

bool ssl_engine::is_server() const noexcept { return SSL_is_server(ssl_.get()) == 1; }

step ssl_engine::perform(call what, void* data, std::size_t size) {
  bool const establishes = !was_opened(phase_);
  if (establishes) {
    if (step const waits = await_answer(); waits.error || waits.want != want::nothing) return waits;
    begin();
    // Nothing is read or written before the last word: OpenSSL would go on with that at once. And
    // only a call of its own can wait for a signer.
    if (!is_of_handshake(what) && (has_last_word() || may_wait_for_signer())) {
      step const first = perform(call::handshake);
      if (!was_opened(phase_)) return first;
    }
  }
  if (awaits_late_answer() || judges_late_answer()) {
    step const waits = go_on_with_late_answer(what);
    if (waits.error || waits.want != want::nothing) return waits;
  }
  // Leftovers of somebody else's calls must not be read as ours (T11). A read of what is decrypted
  // already cannot fail, and is so short that even the look would be felt.
  if (what != call::read || SSL_pending(ssl_.get()) == 0) clear_openssl_errors();
  std::size_t bytes = 0;
  int result = 0;
  switch (what) {
    case call::handshake:
    case call::read_early:
      if (establishes && may_wait_for_signer()) {
        std::optional<int> const done = shake_hands_and_sign(what);
        if (!done) return stopped(want::signature);
        result = *done;
      } else {
        result = shake_hands(what);
      }
      break;
    case call::write_early:
      result = SSL_write_early_data(ssl_.get(), data, size, &bytes);
      break;
    case call::read: result = SSL_read_ex(ssl_.get(), data, size, &bytes); break;
    case call::peek: result = SSL_peek_ex(ssl_.get(), data, size, &bytes); break;
    case call::write: result = SSL_write_ex(ssl_.get(), data, size, &bytes); break;
    case call::shutdown:
      result = SSL_shutdown(ssl_.get());
      if (result == 0) return {};   // sent; the peer's has not arrived, and nothing is wrong
      break;
  }
  if (result > 0) {
    // A client of TLS 1.2, which has no early data, is done by the look for it.
    bool const goes_on = what != call::handshake && is_of_handshake(what) &&
                         SSL_is_init_finished(ssl_.get()) == 0;
    if (goes_on) return {want::nothing, bytes, {}};
    succeeded(what);
    if (establishes && has_last_word() && is_of_handshake(what)) return conclude();
    if (awaits_late_answer()) {
      step const judged = heed_late_answer();
      if (judged.error || judged.want != want::nothing) return judged;
    }
    return {want::nothing, bytes, {}};
  }

  write_waits_ |= what == call::write;
  openssl_error said = take_openssl_error(ssl_.get(), result);
  if (awaits_late_answer() && said.status != status::ssl && said.status != status::syscall) {
    step const judged = heed_late_answer();
    if (judged.error || judged.want != want::nothing) return judged;
  }
  switch (said.status) {
    case status::want_read:
      if (establishes) count_round_trip();
      return {want::input, 0, {}};
    case status::want_write: return {want::output, 0, {}};
    case status::want_client_hello: return stopped(want::client_hello);
    case status::want_x509_lookup: return stopped(want::certificate);
    case status::want_retry_verify: return stopped(want::verification);
    case status::want_connect: return {want::connect, 0, {}};
    case status::want_accept: return {want::accept, 0, {}};
    case status::want_async: return {want::async, 0, {}};
    case status::want_async_job: return {want::async_job, 0, {}};
    case status::zero_return: return {want::nothing, 0, asio::error::eof};
    case status::ssl: return fail(to_error_code(said.code), said.status, std::move(said.stack));
    case status::syscall:
      return fail({said.system, boost::system::system_category()}, said.status,
                  std::move(said.stack));
    case status::unclassified: break;
  }
  return fail(errc::unexpected_result, said.status, std::move(said.stack));
}

// What is about to be called for the first time, or again. Not before: the caller may still change
// what is asked of the server.
void ssl_engine::begin() {
  bool const first = has_not_begun(phase_) && SSL_in_before(ssl_.get()) == 1;
  phase_ = phase::handshake;
  if (first && names_server_) offer_sessions();
  if (first && record_ && record_->sending) plan_early_data();
}

void ssl_engine::succeeded(call what) noexcept {
  // By SSL_do_handshake, or by a read or write that came before it.
  if (!was_opened(phase_)) phase_ = phase::open;
  // Not beneath a write that is to be made again, with the same bytes (T10).
  if (what == call::read && !write_waits_) next_record_ = first_record_;
  if (what == call::write) write_waits_ = false;
}

// Only a handshake asks; one that renegotiates is beneath an open connection.
step ssl_engine::stopped(want for_what) noexcept {
  if (!was_opened(phase_)) phase_ = phase::question;
  return {for_what, 0, {}};
}

step ssl_engine::settled(answer without_openssl) const noexcept {
  switch (without_openssl) {
    case answer::failure: return {want::nothing, 0, fatal_};
    case answer::write_closed: return {want::nothing, 0, errc::write_after_close};
    case answer::goes_on:
    case answer::done: break;
  }
  return {};
}

// OpenSSL has read all that it was given.
step ssl_engine::needs_input(shortage why) const noexcept {
  switch (why) {
    case shortage::paused: return {want::output, 0, {}};
    case shortage::dry: return {want::input, 0, {}};
    case shortage::failed: return {want::nothing, 0, channel_->receive_error()};
    case shortage::ended: break;
  }
  if (!was_opened(phase_)) return {want::nothing, 0, errc::handshake_truncated};
  if (truncation_is_end_) return {want::nothing, 0, asio::error::eof};
  return {want::nothing, 0, errc::stream_truncated};
}

bool ssl_engine::must_send() const noexcept {
  return channel_->unsent() > 2 * channel::max_unsent + tickets_;
}

void ssl_engine::set_read_ahead(bool value) noexcept { SSL_set_read_ahead(ssl_.get(), value); }

step ssl_engine::handshake() {
  if (failed()) return settled(answer::failure);
  channel::use const use(*channel_);
  if (step const ready = hear_hello(); ready.error || ready.want != want::nothing) return ready;
  receive_scope const all_at_once(*this, reads_handshakes_by_header() ? max_write : 0);
  if (record_ && record_->receiving && !was_opened(phase_)) {
    step const early = heed_early_data(use);
    bool const stops = early.bytes > 0 || early.error || early.want != want::nothing;
    if (stops) return {early.want, 0, early.error};
  }
  step done = perform(call::handshake);
  if (done.want == want::input) return needs_input(use.why());
  if (done.error == asio::error::eof) return fail(alert::close_notify, status::zero_return);
  if (was_opened(phase_)) {
    if (record_ && record_->sending) done = end_early_data();
    settle_down(use);
  }
  return done;
}

// The handshake is done.
void ssl_engine::settle_down(channel::use const& use) noexcept {
  remember_renewed_session();
  release_buffers();
  // Together with the first data the last flight costs neither a send nor its receiver a wake.
  bool const awaited = peer_awaits_flight();
  if (!awaited) tickets_ = static_cast<std::uint32_t>(use.sent());
  if (!is_server() || !awaited) channel_->hold_flight(awaited);
}

// For what a client says last the peer waits, and for a server's last words before TLS 1.3. Of a
// server of TLS 1.3 only the tickets are left, which nobody waits for (RFC 8446 section 4.6.1).
bool ssl_engine::peer_awaits_flight() const noexcept {
  return !is_server() || SSL_version(ssl_.get()) < TLS1_3_VERSION;
}

// Whether another read could give plaintext without waiting.
bool ssl_engine::more_is_here() const noexcept {
  return !channel_->dry() || SSL_has_pending(ssl_.get()) == 1;
}

// Whether a read would find nothing and OpenSSL has nothing to say, as it has after SSL_key_update.
bool ssl_engine::nothing_to_do() const noexcept {
  return !more_is_here() && channel_->unsent() == 0 && SSL_in_init(ssl_.get()) == 0;
}

read_step ssl_engine::read(std::span<asio::mutable_buffer const> buffers) {
  return read_begin_ != read_end_ ? read_step{read_buffered(buffers)} : read_records(buffers);
}

// A function of its own, so that whoever reads little at a time pays nothing for what it needs.
read_step ssl_engine::read_records(std::span<asio::mutable_buffer const> buffers) {
  if (held_) return {{want::nothing, 0, held_}};
  if (failed()) return {settled(answer::failure)};
  if (step const begun = begin_with_hello(); begun.error || begun.want != want::nothing) {
    return {begun};
  }
  if (was_opened(phase_) && nothing_to_do()) return {needs_input(channel_->lack())};
  // A writer's ciphertext that waits to leave must not keep us from reading, or two peers that both
  // write would wait for each other for ever; what our answers to the peer add to it is bounded.
  if (must_send()) return {{want::output, 0, {}}};
  channel::use const use(*channel_);
  if (buffer_record(asio::buffer_size(buffers))) return {read_buffered(buffers)};
  step const done = fill(buffers, use);
  // Tickets come alone, or before the first data. After that a look at each read would cost more
  // than the buffer, which the next write lets go.
  if (!data_was_read_ || done.bytes == 0) release_buffers();
  data_was_read_ |= done.bytes > 0;
  return {done, use.records(), use.received()};
}

// Whoever reads a record in small pieces would call OpenSSL for each, which takes ten times as long
// as the copy. OpenSSL lets go of its own buffer when the rest is taken, so that no more is held.
bool ssl_engine::buffer_record(std::size_t wanted) noexcept {
  if (wanted > small_read) return false;
  auto const pending = static_cast<std::size_t>(SSL_pending(ssl_.get()));
  if (pending <= wanted) return false;
  if ((SSL_get_options(ssl_.get()) & SSL_OP_CLEANSE_PLAINTEXT) != 0) return false;
  try {
    read_buffer_ = input_chunk::borrow();
  } catch (std::bad_alloc const&) {
    return false;   // it stays with OpenSSL
  }
  step const got = perform(call::read, read_buffer_.buffer().data(), std::min(pending, max_record));
  if (got.bytes == 0) read_buffer_ = input_chunk();
  read_begin_ = 0;
  read_end_ = static_cast<std::uint16_t>(got.bytes);
  return got.bytes > 0;
}

step ssl_engine::read_buffered(std::span<asio::mutable_buffer const> buffers) {
  auto const* const rest = static_cast<std::byte const*>(read_buffer_.buffer().data());
  std::size_t read = 0;
  for (asio::mutable_buffer const into : buffers) {
    std::size_t const left = std::size_t{read_end_} - read_begin_;
    std::size_t const size = std::min(into.size(), left);
    if (size > 0) std::memcpy(into.data(), rest + read_begin_, size);
    read_begin_ = static_cast<std::uint16_t>(read_begin_ + size);
    read += size;
  }
  if (read_begin_ == read_end_) read_buffer_ = input_chunk();
  return {want::nothing, read, {}};
}

step ssl_engine::fill(std::span<asio::mutable_buffer const> buffers, channel::use const& use) {
  receive_scope const all_at_once(*this, asio::buffer_size(buffers));
  std::size_t filled = 0;
  for (asio::mutable_buffer rest : buffers) {
    while (rest.size() > 0) {
      step got = perform(call::read, rest.data(), rest.size());
      if (got.bytes > 0) {
        filled += got.bytes;
        rest += got.bytes;
        if (rest.size() > 0 && !more_is_here()) return {want::nothing, filled, {}};
        continue;
      }
      if (got.want == want::input) got = needs_input(use.why());
      if (got.error) held_ = got.error;
      if (filled > 0) return {want::nothing, filled, {}};
      return got;
    }
  }
  return {want::nothing, filled, {}};
}

// An idle connection holds no record buffers. OpenSSL lets go of them by itself, but for those that
// messages of a handshake leave behind, a ticket one of 16 kB for writing. Before 3.0.14,
// SSL_free_buffers does not see that a record was read in part, or only its header (CVE-2024-4741):
// "RH" says that none has begun.
void ssl_engine::release_buffers() noexcept {
  if (more_is_here() || std::string_view(SSL_rstate_string(ssl_.get())) != "RH") return;
  SSL_free_buffers(ssl_.get());
}

step ssl_engine::write(std::span<asio::const_buffer const> buffers) {
  answer const settles = answer_to(request::write, phase_);
  if (settles != answer::goes_on) return settled(settles);
  if (channel_->send_error()) return {want::nothing, 0, send_failure()};
  if (step const begun = begin_with_hello(); begun.error || begun.want != want::nothing) {
    return begun;
  }
  if (channel_->unsent() > channel::max_unsent) return {want::output, 0, {}};
  step done;
  {
    channel::use const use(*channel_);
    if (may_renegotiate()) {
      done = renegotiate(use);
      if (done.error || done.want != want::nothing) return done;
    }
    coalescer plaintext(buffers);
    while (!plaintext.empty() && done.bytes < max_write) {
      std::size_t const room = max_write - done.bytes;
      asio::const_buffer const piece = plaintext.next(
          next_record_ == max_record ? room : std::min<std::size_t>(next_record_, room));
      if (key_is_used_up()) update_key_in_time();
      step const taken = perform(call::write, const_cast<void*>(piece.data()), piece.size());
      done.bytes += taken.bytes;
      count_sent(taken.bytes);
      if (taken.bytes >= next_record_) {
        std::size_t const twice = 2u * next_record_;
        next_record_ = static_cast<std::uint16_t>(std::min(twice, max_record));
      }
      if (taken.bytes == piece.size()) continue;
      step const ended = taken.want == want::input ? needs_input(use.why()) : taken;
      done.want = ended.want;
      done.error = ended.error;
      break;
    }
  }
  if (!done.error) done.error = send_failure();
  return done;
}

// A request for another handshake that came before other records is remembered by OpenSSL, which
// does not say so, and followed by whatever is called next.
bool ssl_engine::may_renegotiate() const noexcept {
  if (!was_opened(phase_) || SSL_version(ssl_.get()) >= TLS1_3_VERSION) return false;
  bool const allowed = (SSL_get_options(ssl_.get()) & SSL_OP_NO_RENEGOTIATION) == 0;
  return allowed || SSL_in_init(ssl_.get()) == 1;
}

// OpenSSL hands data that arrives amid a renegotiation to a read alone; a write would fail without a
// reason (T29).
step ssl_engine::renegotiate(channel::use const& use) {
  std::byte one{};
  step const seen = perform(call::peek, &one, 1);
  if (failed()) return settled(answer::failure);
  if (SSL_in_init(ssl_.get()) == 0) return {};
  if (seen.bytes > 0) return {want::nothing, 0, errc::unread_data};
  return needs_input(use.why());
}

}  // namespace cotls::detail
