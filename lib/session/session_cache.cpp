#include "session/session_cache.hpp"

#include <algorithm>
#include <ctime>
#include <string_view>

namespace cotls::detail {

namespace {

// RFC 8446 section 4.6.1: "Clients MUST NOT cache tickets for longer than 7 days, regardless of the
// ticket_lifetime".
constexpr long longest = 7 * 24 * 60 * 60;

std::string_view ticket_of(SSL_SESSION const* session) {
  unsigned char const* bytes = nullptr;
  std::size_t size = 0;
  SSL_SESSION_get0_ticket(session, &bytes, &size);
  return {reinterpret_cast<char const*>(bytes), size};
}

// Of TLS 1.2, the session that a connection ends its handshake with may be the one it began with.
bool is_known(std::vector<ssl_session_ptr> const& sessions, SSL_SESSION const* session) {
  std::string_view const ticket = ticket_of(session);
  return !sessions.empty() && !ticket.empty() && ticket_of(sessions.back().get()) == ticket;
}

}  // namespace

long lifetime_of(SSL_SESSION const* session) noexcept {
  return std::clamp(static_cast<long>(SSL_SESSION_get_timeout(session)), 0L, longest);
}

bool is_fresh(SSL_SESSION const* session, std::time_t today) noexcept {
  auto const now = static_cast<long>(std::time(nullptr));
  if (now >= SSL_SESSION_get_time(session) + lifetime_of(session)) return false;
  X509* const peer = SSL_SESSION_get0_peer(const_cast<SSL_SESSION*>(session));
  return !peer || X509_cmp_time(X509_get0_notAfter(peer), &today) > 0;
}

void session_cache::put(std::string const& server, SSL_SESSION* session) {
  if (!keeps() || SSL_SESSION_is_resumable(session) != 1) return;
  ssl_session_ptr copy(SSL_SESSION_dup(session));
  if (!copy) return;   // only the short cut is lost
  std::scoped_lock const lock(mutex_);
  auto found = find(server);
  if (found == entries_.end()) {
    if (entries_.size() == max_servers_) {
      index_.erase(entries_.back().server);
      entries_.pop_back();
    }
    entries_.push_front({server, {}, {}, {}});
    found = entries_.begin();
    index_.emplace(server, found);
  }
  auto& sessions = found->sessions;
  if (is_known(sessions, session)) return;
  if (sessions.size() == max_sessions) sessions.erase(sessions.begin());
  sessions.push_back(std::move(copy));
}

ssl_session_ptr session_cache::take(std::string const& server, std::time_t today) {
  std::scoped_lock const lock(mutex_);
  auto const found = find(server);
  if (found == entries_.end()) return nullptr;
  auto& sessions = found->sessions;
  while (!sessions.empty()) {
    ssl_session_ptr newest = std::move(sessions.back());
    sessions.pop_back();
    if (!is_fresh(newest.get(), today)) continue;
    if (SSL_SESSION_get_protocol_version(newest.get()) >= TLS1_3_VERSION) return newest;
    ssl_session_ptr copy(SSL_SESSION_dup(newest.get()));
    sessions.push_back(std::move(newest));
    return copy;
  }
  return nullptr;
}

void session_cache::forget(std::string const& server) {
  std::scoped_lock const lock(mutex_);
  auto const found = find(server);
  if (found != entries_.end()) found->sessions.clear();
}

std::optional<session_cache::digest> session_cache::digest_of(X509 const* certificate) noexcept {
  digest made;
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), made.data(), &size) != 1) return std::nullopt;
  return made;
}

void session_cache::note_verified(std::string const& server, X509 const* certificate) {
  auto const made = digest_of(certificate);
  std::scoped_lock const lock(mutex_);
  auto const found = find(server);
  if (!made || found == entries_.end()) return;
  found->verified = *made;
  found->verified_at = std::chrono::steady_clock::now();
}

bool session_cache::was_verified(std::string const& server, X509 const* certificate) {
  auto const made = digest_of(certificate);
  std::scoped_lock const lock(mutex_);
  auto const found = find(server);
  if (!made || found == entries_.end() || found->verified != *made) return false;
  return std::chrono::steady_clock::now() - found->verified_at < verdict_lasts;
}

// The server that is found becomes the one used last.
session_cache::entries::iterator session_cache::find(std::string const& server) {
  auto const found = index_.find(server);
  if (found == index_.end()) return entries_.end();
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second;
}

}  // namespace cotls::detail
