// The end of a connection whose transport goes on: nothing of ours is cut, nothing of the peer's lost.

#include <cotls/detail/engine/ssl_engine.hpp>

#include <openssl/ssl.h>

namespace cotls::detail {

bool ssl_engine::is_over() const noexcept {
  bool const closed = SSL_get_shutdown(ssl_.get()) == (SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  bool const over = closed || phase_ == phase::refused;
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
bool ssl_engine::holds_input() {
  // Without read-ahead, what is pending is the beginning of a record that was not finished.
  if (SSL_get_read_ahead(ssl_.get()) != 1 || SSL_has_pending(ssl_.get()) != 1) return false;
  int const closed = SSL_get_shutdown(ssl_.get());
  if ((closed & SSL_RECEIVED_SHUTDOWN) == 0) return true;
  // From OpenSSL 3.2 on it may be the close_notify itself, until something else is read (T35).
  channel_->set_dry(true);
  channel_->mute();
  SSL_set_shutdown(ssl_.get(), closed & ~SSL_RECEIVED_SHUTDOWN);
  phase const before = phase_;
  error_code const known = fatal_;
  std::byte one{};
  step const behind = perform(call::peek, &one, 1);
  SSL_set_shutdown(ssl_.get(), closed);
  phase_ = before;   // whatever it found, nobody was to hear of it
  fatal_ = known;
  return behind.want != want::input || SSL_has_pending(ssl_.get()) == 1;
}

}  // namespace cotls::detail
