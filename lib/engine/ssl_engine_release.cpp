// The end of a connection whose transport goes on: nothing of ours is cut, nothing of the peer's lost.

#include <cotls/detail/engine/ssl_engine.hpp>

#include <openssl/ssl.h>

namespace cotls::detail {

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
