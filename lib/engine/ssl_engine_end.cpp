// The end of a connection: what we say, what we wait for, and when the transport may go on without
// it, so that nothing of ours is cut and nothing of the peer's lost.

#include <cotls/detail/engine/ssl_engine.hpp>

#include "engine/coalescer.hpp"

#include <boost/asio/error.hpp>

#include <openssl/ssl.h>

#include <array>

namespace cotls::detail {

step ssl_engine::close_write() {
  answer const settles = answer_to(request::close_write, phase_);
  if (settles != answer::goes_on) return settled(settles);
  phase_ = phase::closing;
  channel::use const use(*channel_);
  // While a message is half here, a ticket that spans records, OpenSSL refuses to close anything.
  if (SSL_in_init(ssl_.get()) == 1) {
    step const rest = perform(call::handshake);
    if (rest.want == want::input) return needs_input(use.why());
    if (rest.error || rest.want != want::nothing) return rest;
  }
  step const done = perform(call::shutdown);
  if (done.error || done.want != want::nothing) return done;   // an adopted BIO takes it later
  phase_ = phase::closed;
  // RFC 8446 section 6.1: close_notify "notifies the recipient that the sender will not send any
  // more messages on this connection". OpenSSL goes on to answer key updates; a peer that has
  // closed its socket meanwhile would answer with a reset, which destroys what it has sent last.
  channel_->mute();
  return done;
}

read_step ssl_engine::shutdown() {
  if (step const sent = close_write(); sent.error || sent.want != want::nothing) return {sent};
  if (!was_opened(phase_)) return {};
  // Unread data is discarded: closing the transport over it would make the kernel send a reset,
  // which can destroy the last of our data on its way (T15).
  thread_local std::array<std::byte, max_record> discarded;
  std::array const into{asio::mutable_buffer(discarded.data(), discarded.size())};
  read_step const got = read(into);
  if (got.error == asio::error::eof) return {};
  return got;
}

bool ssl_engine::is_over() const noexcept {
  bool const closed = SSL_get_shutdown(ssl_.get()) == (SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  // What was only looked at is still to be read.
  bool const over = (closed && kept() == 0) || phase_ == phase::refused;
  return over && channel_->unsent() == 0;   // or it would be cut, and what comes next inside of it
}

std::vector<std::byte> ssl_engine::take_back_input() {
  bool const all_kept = channel_->heard_no_tls();
  std::vector<std::byte> unread = channel_->take_back_given();
  if (all_kept || !holds_input()) return unread;
  channel_->give(unread.data(), unread.size());
  throw error(errc::read_ahead);
}

// Whether OpenSSL has bytes of a transport that is to be given back, and whose channel has none.
bool ssl_engine::holds_input() const noexcept {
  // Without read-ahead, what is pending is the beginning of a record that was not finished.
  if (SSL_get_read_ahead(ssl_.get()) != 1 || SSL_has_pending(ssl_.get()) != 1) return false;
  bool const closed = (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  if (!closed || SSL_version(ssl_.get()) < TLS1_3_VERSION) return true;
  // From OpenSSL 3.2 on it may be the close_notify itself, which it keeps for ever (T35). What is
  // behind it and of another protocol ends otherwise than this one's records, which look all alike.
  return !channel_->ends_with(SSL3_RT_APPLICATION_DATA);
}

}  // namespace cotls::detail
