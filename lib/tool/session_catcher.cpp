#include "session_catcher.hpp"

#include <openssl/ssl.h>

namespace cotls::tool {

namespace {

// The place in a context where its catcher is found again.
int place() {
  static int const index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

session_catcher::session_catcher(client_context const& context) {
  SSL_CTX* const native = context.native_handle();
  SSL_CTX_set_ex_data(native, place(), this);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(native, [](SSL* of, SSL_SESSION* session) {
    void* const found = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(of), place());
    static_cast<session_catcher*>(found)->take(session);
    return 1;   // it is ours now
  });
}

ssl_session_st* session_catcher::session() const noexcept {
  bool const usable = session_ && SSL_SESSION_is_resumable(session_.get()) == 1;
  return usable ? session_.get() : nullptr;
}

void session_catcher::session_deleter::operator()(ssl_session_st* session) const noexcept {
  SSL_SESSION_free(session);
}

void session_catcher::take(ssl_session_st* session) {
  session_.reset(session);
  if (arrived_) arrived_();
}

}  // namespace cotls::tool
