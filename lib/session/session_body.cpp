#include "session/session_body.hpp"

#include "session/session_notes.hpp"

#include <openssl/ssl.h>

#include <ctime>
#include <new>

namespace cotls::detail {

bool session_origin::may_resume(session_origin const& of) const noexcept {
  bool const same_port = port == of.port || port == 0 || of.port == 0;
  return server == of.server && same_port && variety == of.variety && identity == of.identity &&
         ocsp <= of.ocsp && (of.verified || !verified);
}

// Of one that was resumed there is no chain, but still the notes of the one before.
std::shared_ptr<session_body const> session_body::make(SSL* given_to, SSL_SESSION* given,
                                                       session_origin origin) {
  if (SSL_SESSION_is_resumable(given) != 1) return nullptr;
  ssl_session_ptr copy(SSL_SESSION_dup(given));
  if (!copy) throw std::bad_alloc();
  STACK_OF(X509)* const sent = SSL_get_peer_cert_chain(given_to);
  if (sk_X509_num(sent) > 0 || !session_notes::of(copy.get())) {
    session_notes notes(static_cast<std::time_t>(SSL_SESSION_get_time(copy.get())));
    notes.keep(sent, SSL_SESSION_get0_peer(copy.get()));
    if (!notes.write_to(copy.get())) throw std::bad_alloc();
  }
  return std::make_shared<session_body>(std::move(copy), std::move(origin));
}

bool session_body::single_use() const noexcept {
  return SSL_SESSION_get_protocol_version(native_.get()) >= TLS1_3_VERSION;
}

}  // namespace cotls::detail
