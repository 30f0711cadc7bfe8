// What a server has verified, it verifies again before it resumes:
//
//   full handshake -> session: the client's certificate, and beside it those that came with it
//        |                |
//        v                v
//     a ticket      our own cache, or the program's store, for who gets no tickets
//        |                |
//        +------> offered again -> may_resume -> resumed, or a full handshake
//
// OpenSSL keeps in a ticket no more than the client's own certificate: the others, and when that
// was, are the ticket's application data.

#include "session/resumption.hpp"

#include "openssl/library.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"
#include "openssl/owned_by_context.hpp"
#include "session/session_cache.hpp"
#include "session/session_notes.hpp"
#include "session/stored_sessions.hpp"
#include "session/ticket_encryption.hpp"

#include <cotls/detail/channel/hello_framing.hpp>

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>

namespace cotls::detail {

namespace {

// About 1.5 kB each; where clients get no tickets, but numbers, there are more.
constexpr std::size_t max_sessions = 1024;
constexpr std::size_t max_numbered_sessions = 16 * max_sessions;

// What an SSL_CTX of ours has for its servers' sessions.
struct server_sessions {
  std::unique_ptr<session_cache> cache = std::make_unique<session_cache>(max_sessions);
  bool are_numbered = false;   // those of TLS 1.3, too
  std::size_t max_hello = default_max_hello;
  std::chrono::seconds lifetime = usual_session_lifetime;
  std::shared_ptr<session_storage> store;   // null: in tickets, and in the cache
};

// Null for a connection that the program has given another context meanwhile.
server_sessions* sessions_of(SSL const* connection) {
  return owned_by_context<server_sessions>::find(SSL_get_SSL_CTX(connection));
}

// How much of a client's certificates a ticket may have, in bytes, the client's own included; a
// longer chain is asked for again. Tickets come back in hellos: we would refuse what we have caused.
std::size_t room_in_ticket(SSL const* of) {
  server_sessions const* const known = sessions_of(of);
  return (known ? known->max_hello : default_max_hello) / 4 * 3;
}

// A session that was resumed has no chain of its own, but still the notes of the first one.
void note(SSL* of, SSL_SESSION* in) {
  session_notes notes = session_notes::of(in).value_or(session_notes(today(of)));
  STACK_OF(X509)* const sent = SSL_get_peer_cert_chain(of);
  X509* const own = SSL_SESSION_get0_peer(in);
  if (sk_X509_num(sent) > 0) notes.keep(sent, own);
  int const own_size = own ? i2d_X509(own, nullptr) : 0;
  if (own_size < 0 || notes.size() + std::size_t(own_size) > room_in_ticket(of)) notes.keep_none();
  notes.write_to(in);
}

// However often it was renewed: RFC 8446 section 4.6.1: "It is RECOMMENDED that implementations
// place limits on the total lifetime of such keying material".
bool is_too_old(SSL* connection, session_notes const& notes) {
  server_sessions const* const known = sessions_of(connection);
  return !known || today(connection) - notes.made() >= known->lifetime.count();
}

bool may_resume(SSL* connection, SSL_SESSION* session) {
  auto const notes = session_notes::of(session);
  if (!notes || is_too_old(connection, *notes)) return false;
  int const mode = SSL_get_verify_mode(connection);
  if ((mode & SSL_VERIFY_PEER) == 0) return true;
  X509* const certificate = SSL_SESSION_get0_peer(session);
  // One that is asked for late was not due when the session was made.
  int const due = mode & (SSL_VERIFY_FAIL_IF_NO_PEER_CERT | SSL_VERIFY_POST_HANDSHAKE);
  if (!certificate) return due != SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  x509_stack_ptr const others = notes->others();
  return verifies_today(connection, certificate, others.get());
}

int on_ticket_made(SSL* connection, void*) noexcept {
  try {
    note(connection, SSL_get_session(connection));
  } catch (std::bad_alloc const&) {
    // Only the short cut is lost.
  }
  return 1;
}

SSL_TICKET_RETURN on_ticket_read(SSL* connection, SSL_SESSION* session, unsigned char const*,
                                 std::size_t, SSL_TICKET_STATUS status, void*) noexcept {
  bool const decrypted = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
  // Without it the handshake is a full one, in which verification has its say.
  try {
    if (!decrypted || !may_resume(connection, session)) return SSL_TICKET_RETURN_IGNORE_RENEW;
  } catch (std::bad_alloc const&) {
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

std::string id_of(SSL_SESSION const* session) {
  unsigned size = 0;
  unsigned char const* const id = SSL_SESSION_get_id(session, &size);
  return {reinterpret_cast<char const*>(id), size};
}

// Called for tickets of TLS 1.3, too, and not for those of TLS 1.2.
int on_session_made(SSL* connection, SSL_SESSION* session) noexcept {
  server_sessions* const kept = sessions_of(connection);
  if (!kept) return 0;
  bool const is_ticket = !kept->store && !kept->are_numbered;
  if (is_ticket && SSL_version(connection) >= TLS1_3_VERSION) return 0;
  try {
    note(connection, session);
    if (kept->store) store_session(*kept->store, session, kept->lifetime);
    else kept->cache->put(id_of(session), session);
  } catch (std::exception const&) {
    // Only the short cut is lost.
  }
  return 0;   // a copy was kept
}

// One of TLS 1.2 may be resumed again, and goes back.
ssl_session_ptr take_stored(server_sessions const& by, SSL* connection,
                            std::span<unsigned char const> id) {
  ssl_session_ptr found = take_found_session(connection, id);
  if (found && !is_fresh(found.get(), today(connection))) return nullptr;
  bool const is_reused =
      found && SSL_SESSION_get_protocol_version(found.get()) < TLS1_3_VERSION;
  if (is_reused) store_session(*by.store, found.get(), by.lifetime);
  return found;
}

SSL_SESSION* on_session_asked(SSL* connection, unsigned char const* id, int size,
                              int* copy) noexcept {
  *copy = 0;   // what is returned is OpenSSL's
  server_sessions* const kept = sessions_of(connection);
  if (!kept) return nullptr;
  try {
    ssl_session_ptr found =
        kept->store ? take_stored(*kept, connection, {id, static_cast<std::size_t>(size)})
                    : kept->cache->take({reinterpret_cast<char const*>(id),
                                        static_cast<std::size_t>(size)},
                                       today(connection));
    return found && may_resume(connection, found.get()) ? found.release() : nullptr;
  } catch (std::exception const&) {
    return nullptr;
  }
}

// Who verifies the chains of a context's peers, if it is not OpenSSL alone, which does not tell.
struct chain_verification {
  int (*function)(X509_STORE_CTX*);
};

int verify_chain(SSL* connection, X509_STORE_CTX* work) {
  auto const* const by =
      owned_by_context<chain_verification>::find(SSL_get_SSL_CTX(connection));
  return by ? by->function(work) : X509_verify_cert(work);
}

X509_STORE* store_of(SSL* connection) {
  X509_STORE* shared = nullptr;
  SSL_get0_verify_cert_store(connection, &shared);
  return shared ? shared : SSL_CTX_get_cert_store(SSL_get_SSL_CTX(connection));
}

}  // namespace

// What OpenSSL does with a chain that a peer has sent, in the same order.
bool verifies_today(SSL* connection, X509* certificate, STACK_OF(X509)* others, bool* lasting) {
  library_options const& from = library_of(SSL_get_SSL_CTX(connection));
  x509_store_ctx_ptr const work(X509_STORE_CTX_new_ex(from.library(), query_of(from)));
  bool ready = work && X509_STORE_CTX_init(work.get(), store_of(connection), certificate,
                                           others) == 1 &&
               X509_STORE_CTX_set_ex_data(work.get(), SSL_get_ex_data_X509_STORE_CTX_idx(),
                                          connection) == 1;
  if (ready) {
    X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(work.get());
    X509_VERIFY_PARAM_set_auth_level(parameters, SSL_get_security_level(connection));
    X509_STORE_CTX_set_default(work.get(),
                               SSL_is_server(connection) == 1 ? "ssl_client" : "ssl_server");
    ready = X509_VERIFY_PARAM_set1(parameters, SSL_get0_param(connection)) == 1;
    if (auto const callback = SSL_get_verify_callback(connection)) {
      X509_STORE_CTX_set_verify_cb(work.get(), callback);
    }
  }
  bool const verified = ready && verify_chain(connection, work.get()) == 1;   // fails closed
  if (lasting) {
    *lasting = verified && outlasts_a_verdict(connection, X509_STORE_CTX_get0_chain(work.get()));
  }
  // In the middle of a handshake they would be read as its own.
  clear_openssl_errors();
  return verified;
}

bool outlasts_a_verdict(SSL const* connection, STACK_OF(X509) const* chain) {
  std::time_t then = today(connection) + session_cache::verdict_lasts.count();
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    if (X509_cmp_time(X509_get0_notAfter(sk_X509_value(chain, i)), &then) <= 0) return false;
  }
  return sk_X509_num(chain) > 0;
}

void verify_chains_by(SSL_CTX* of, int (*function)(X509_STORE_CTX*)) {
  auto made = std::make_unique<chain_verification>(chain_verification{function});
  chain_verification* const given = made.get();
  auto const back = owned_by_context<chain_verification>::exchange(of, std::move(made));
  if (back.get() == given) throw std::bad_alloc();   // it would be verified by halves
  SSL_CTX_set_cert_verify_callback(
      of, [](X509_STORE_CTX* work, void* by) {
        return static_cast<chain_verification*>(by)->function(work);
      },
      given);
}

std::time_t today(SSL const* connection) {
  X509_VERIFY_PARAM* const parameters = SSL_get0_param(const_cast<SSL*>(connection));
  bool const is_set =
      (X509_VERIFY_PARAM_get_flags(parameters) & X509_V_FLAG_USE_CHECK_TIME) != 0;
  return is_set ? X509_VERIFY_PARAM_get_time(parameters) : std::time(nullptr);
}

void guard_resumption(SSL_CTX* servers) {
  SSL_CTX_set_session_ticket_cb(servers, on_ticket_made, on_ticket_read, nullptr);
  SSL_CTX_sess_set_new_cb(servers, on_session_made);
  SSL_CTX_sess_set_get_cb(servers, on_session_asked);
  auto made = std::make_unique<server_sessions>();
  server_sessions* const given = made.get();
  auto const back = owned_by_context<server_sessions>::exchange(servers, std::move(made));
  keep_sessions(servers, back.get() != given);
  limit_sessions(servers, usual_session_lifetime);
  try {
    encrypt_tickets(servers, std::make_shared<ticket_key_ring>(usual_session_lifetime));
  } catch (error const&) {
    // Without the cipher, in a library context of few algorithms, it is OpenSSL's affair.
  }
}

void limit_sessions(SSL_CTX* servers, std::chrono::seconds lifetime) {
  SSL_CTX_set_timeout(servers, static_cast<long>(lifetime.count()));
  server_sessions* const kept = owned_by_context<server_sessions>::find(servers);
  if (kept) kept->lifetime = lifetime;
}

void store_sessions(SSL_CTX* servers, std::shared_ptr<session_storage> store) {
  server_sessions* const kept = owned_by_context<server_sessions>::find(servers);
  if (!kept) return;   // OpenSSL's way, without memory for ours
  kept->store = std::move(store);
  SSL_CTX_set_options(servers, SSL_OP_NO_TICKET);
  number_sessions(servers);
  keep_sessions(servers, true);
}

// OpenSSL's own way keeps sessions in its own cache.
void take_early_data(SSL_CTX* servers, std::size_t max) {
  server_sessions* const kept = owned_by_context<server_sessions>::find(servers);
  if (!kept) throw std::bad_alloc();   // it could be replayed
  if (!kept->are_numbered) {
    kept->cache = std::make_unique<session_cache>(max_numbered_sessions);
    kept->are_numbered = true;
  }
  SSL_CTX_set_options(servers, SSL_OP_NO_TICKET | SSL_OP_NO_ANTI_REPLAY);
  auto const bytes = static_cast<std::uint32_t>(max);
  SSL_CTX_set_max_early_data(servers, bytes);
  SSL_CTX_set_recv_max_early_data(servers, bytes);
  keep_sessions(servers, true);
}

void forget_session(SSL* of) noexcept {
  SSL_SESSION* const session = SSL_get_session(of);
  if (!session) return;
  SSL_CTX_remove_session(SSL_get_SSL_CTX(of), session);
  server_sessions* const kept = sessions_of(of);
  if (!kept) return;
  try {
    kept->cache->forget(id_of(session));
  } catch (std::bad_alloc const&) {
    // Resumed, it is judged again.
  }
}

void limit_tickets(SSL_CTX* servers, std::size_t max_hello) {
  server_sessions* const kept = owned_by_context<server_sessions>::find(servers);
  if (kept) kept->max_hello = max_hello;
}

void keep_sessions(SSL_CTX* servers, bool some) {
  SSL_CTX_set_session_cache_mode(
      servers, some ? SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL |
                          SSL_SESS_CACHE_NO_AUTO_CLEAR
                    : SSL_SESS_CACHE_OFF);
}

}  // namespace cotls::detail
