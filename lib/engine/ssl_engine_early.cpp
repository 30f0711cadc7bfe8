// Data that comes with a client's hello, and what a server says before the client has finished (RFC
// 8446 section 2.3):
//
//   a client   begin: a session that allows it -> SSL_write_early_data -> the handshake goes on
//              -> accepted, or written behind the handshake (end_early_data)
//   a server   read_early, or a handshake that is to stop there: SSL_read_early_data, until it is over
//              -> the handshake goes on; meanwhile write_early: SSL_write_early_data
//
// Whoever does not ask for it has OpenSSL reject it. The ordinary reads and writes know nothing of it.

#include <cotls/detail/engine/ssl_engine.hpp>

#include "context/context_state.hpp"
#include "engine/coalescer.hpp"
#include "engine/early_state.hpp"
#include "settings/alpn_settings.hpp"

#include <boost/asio/error.hpp>

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

namespace cotls::detail {

namespace {

std::string_view protocol_of(SSL_SESSION const* session) noexcept {
  unsigned char const* name = nullptr;
  std::size_t size = 0;
  SSL_SESSION_get0_alpn_selected(session, &name, &size);
  return {reinterpret_cast<char const*>(name), size};
}

std::string_view protocol_of(SSL const* connection) noexcept {
  unsigned char const* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(connection, &name, &size);
  return {reinterpret_cast<char const*>(name), size};
}

}  // namespace

void ssl_engine::prepare_early_data(connection_options const& options) {
  if (!options.special || !options.special->early) return;
  alpn_settings const own(options.alpn);
  bool const has_own = !options.alpn.empty();
  failures().sending = std::make_shared<early_sending>(
      options.special->early, has_own ? own : context_->settings().alpn.value());
}

// OpenSSL ends the handshake of a client that offers early data of a protocol that it does not offer
// now, and calls it a mistake to write more than the server has allowed.
void ssl_engine::plan_early_data() noexcept {
  early_sending& out = *record_->sending;
  SSL_SESSION* const session = SSL_get_session(ssl_.get());
  std::size_t const room = session ? SSL_SESSION_get_max_early_data(session) : 0;
  out.at = early_sending::stage::late;
  out.protocol = out.offered.first();
  if (room < out.request->bytes.size()) return;
  std::string_view const spoken = protocol_of(session);
  std::string_view const offered = out.offered.find(spoken);
  if (offered.size() != spoken.size()) return;
  out.protocol = offered;
  out.at = early_sending::stage::offered;
}

bool ssl_engine::has_early_data() const noexcept {
  if (!record_) return false;
  if (record_->sending) return record_->sending->at != early_sending::stage::over;
  return record_->receiving && !was_opened(phase_);
}

// The call that shakes hands. Again and again it is the same one, until it succeeds.
int ssl_engine::shake_hands(call what) noexcept {
  SSL* const ssl = ssl_.get();
  if (what == call::read_early) {
    early_reading& in = *record_->receiving;
    asio::mutable_buffer const room = in.chunk.buffer();
    std::size_t size = 0;
    int const got = SSL_read_early_data(ssl, room.data(), room.size(), &size);
    in.begin = 0;
    in.end = size;
    if (got == SSL_READ_EARLY_DATA_FINISH) in.at = early_reading::stage::over;
    return got == SSL_READ_EARLY_DATA_ERROR ? 0 : 1;
  }
  if (record_ && record_->sending && record_->sending->at == early_sending::stage::offered) {
    auto const& bytes = record_->sending->request->bytes;
    std::size_t written = 0;
    int const sent = SSL_write_early_data(ssl, bytes.data(), bytes.size(), &written);
    if (sent != 1) return sent;
    record_->sending->at = early_sending::stage::sent;
  }
  return SSL_do_handshake(ssl);
}

// A server may have agreed on another protocol than that which the data is of: RFC 8446 section
// 4.2.10 lets it be sent again only where it is the same.
step ssl_engine::end_early_data() {
  early_sending& out = *record_->sending;
  auto const& bytes = out.request->bytes;
  if (out.at == early_sending::stage::sent) {
    bool const accepted = SSL_get_early_data_status(ssl_.get()) == SSL_EARLY_DATA_ACCEPTED;
    out.outcome = accepted ? early_data::accepted : early_data::rejected;
    out.at = accepted ? early_sending::stage::over : early_sending::stage::late;
  }
  bool const is_sent = out.at == early_sending::stage::late &&
                       out.protocol == protocol_of(ssl_.get()) &&
                       out.request->otherwise == unaccepted::send_late;
  while (is_sent && out.written < bytes.size()) {
    std::size_t const left = bytes.size() - out.written;
    step const sent = perform(call::write, const_cast<std::byte*>(bytes.data()) + out.written, left);
    out.written += sent.bytes;
    count_sent(sent.bytes);
    if (sent.error || sent.want != want::nothing) return sent;
  }
  if (is_sent) out.outcome = early_data::sent_late;
  out.at = early_sending::stage::over;
  return {};
}

void ssl_engine::stop_at_early_data() {
  if (!is_server() || !has_not_begun(phase_) || failures().receiving) return;
  record_->receiving = std::make_shared<early_reading>();
}

// Whoever reads or writes instead does not want it, unless OpenSSL has been asked for it already.
void ssl_engine::expect_no_early_data() noexcept {
  bool const waits = record_ && record_->receiving &&
                     record_->receiving->at == early_reading::stage::expected;
  if (!waits) return;
  if (has_not_begun(phase_)) {
    record_->receiving.reset();
  } else {
    record_->receiving->at = early_reading::stage::begun;
  }
}

// Until there is some, or it is over. While OpenSSL may be paused within the call, its buffer stays.
step ssl_engine::hear_early_data(channel::use const& use) {
  early_reading& in = *record_->receiving;
  if (in.kept() > 0 || in.at == early_reading::stage::over) return {want::nothing, in.kept(), {}};
  try {
    if (!in.chunk) in.chunk = input_chunk::borrow();
  } catch (std::bad_alloc const&) {
    return {want::nothing, 0, make_error_code(boost::system::errc::not_enough_memory)};
  }
  step got = perform(call::read_early);
  got.bytes = in.kept();
  bool const may_be_paused = may_wait_for_signer() && in.at != early_reading::stage::over;
  if (in.kept() == 0 && !may_be_paused) in.chunk = input_chunk();
  if (got.want == want::input) return needs_input(use.why());
  if (got.error == asio::error::eof) return fail(alert::close_notify, status::zero_return);
  return got;
}

// A handshake ends here for now when there are bytes: because it was to, or because nobody has read
// them.
step ssl_engine::heed_early_data(channel::use const& use) {
  step heard = hear_early_data(use);
  if (heard.bytes == 0) return heard;
  bool const stops = record_->receiving->at == early_reading::stage::expected;
  record_->receiving->at = early_reading::stage::begun;
  if (!stops) heard.error = errc::unread_data;
  return heard;
}

step ssl_engine::read_early(std::span<asio::mutable_buffer const> buffers) {
  if (!is_server()) return {want::nothing, 0, asio::error::operation_not_supported};
  if (failed()) return settled(answer::failure);
  if (was_opened(phase_)) return {want::nothing, 0, asio::error::eof};
  try {
    stop_at_early_data();
  } catch (std::bad_alloc const&) {
    return {want::nothing, 0, make_error_code(boost::system::errc::not_enough_memory)};
  }
  // A handshake was begun without it.
  if (!record_ || !record_->receiving) return {want::nothing, 0, asio::error::eof};
  early_reading& in = *record_->receiving;
  if (in.at == early_reading::stage::expected) in.at = early_reading::stage::begun;
  channel::use const use(*channel_);
  if (step const ready = hear_hello(); ready.error || ready.want != want::nothing) return ready;
  step const heard = hear_early_data(use);
  // Behind the end of early data the client's last words may be here, too.
  if (was_opened(phase_)) settle_down(use);
  if (heard.error || heard.want != want::nothing) return heard;
  if (in.kept() == 0) return {want::nothing, 0, asio::error::eof};
  std::size_t const taken =
      asio::buffer_copy(buffers, asio::buffer(in.chunk.buffer() + in.begin, in.kept()));
  in.begin += taken;
  if (in.kept() == 0) in.chunk = input_chunk();
  return {want::nothing, taken, {}};
}

// What leaves before the client has finished is for whom its session was made with, and for nobody
// else: not for a client of whom nothing is known.
step ssl_engine::write_early(std::span<asio::const_buffer const> buffers) {
  if (was_opened(phase_)) return write(buffers);
  if (failed()) return settled(answer::failure);
  bool const accepted = record_ && record_->receiving &&
                        SSL_get_early_data_status(ssl_.get()) == SSL_EARLY_DATA_ACCEPTED;
  if (!accepted) return {want::nothing, 0, errc::handshake_not_done};
  if (channel_->send_error()) return {want::nothing, 0, send_failure()};
  if (channel_->unsent() > channel::max_unsent) return {want::output, 0, {}};
  step done;
  {
    channel::use const use(*channel_);
    coalescer plaintext(buffers);
    while (!plaintext.empty() && done.bytes < max_write) {
      asio::const_buffer const piece = plaintext.next(max_write - done.bytes);
      step const taken =
          perform(call::write_early, const_cast<void*>(piece.data()), piece.size());
      done.bytes += taken.bytes;
      count_sent(taken.bytes);
      if (taken.bytes == piece.size()) continue;
      done.want = taken.want;
      done.error = taken.error;
      break;
    }
  }
  if (!done.error) done.error = send_failure();
  return done;
}

early_data ssl_engine::early_outcome() const noexcept {
  if (record_ && record_->sending) return record_->sending->outcome;
  if (!is_server() || !negotiated()) return early_data::none;
  switch (SSL_get_early_data_status(ssl_.get())) {
    case SSL_EARLY_DATA_ACCEPTED: return early_data::accepted;
    case SSL_EARLY_DATA_REJECTED: return early_data::rejected;
    default: return early_data::none;
  }
}

// No exception may cross OpenSSL. Nobody asks in the place of a connection that others have made.
int ssl_engine::on_early_data(ssl_st* ssl, void*) {
  ssl_engine const* const self = serving(ssl);
  return self && self->takes_early_data() ? 1 : 0;
}

bool ssl_engine::takes_early_data() const noexcept {
  try {
    auto const& how = context_ ? context_->settings().sessions.early_data() : nullptr;
    return how && (!how->rule() || how->rule()(peer_as(true), info()));
  } catch (...) {
    return false;
  }
}

}  // namespace cotls::detail
