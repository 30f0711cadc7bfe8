// Sessions of servers that are kept outside. What OpenSSL asks for in the middle of a handshake was
// fetched before it:
//
//   hello -> stored_names -> the program's store -> give_found_sessions -> take_found_session
//
// The number of a session is 28 bytes at random, and four that tell it from what clients make up.

#include "session/stored_sessions.hpp"

#include "openssl/openssl_error.hpp"
#include "openssl/owned_by_connection.hpp"
#include "session/session_bytes.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace cotls::detail {

namespace {

constexpr std::size_t id_size = SSL_MAX_SSL_SESSION_ID_LENGTH;
constexpr std::size_t id_mark = 4;
constexpr std::size_t most_identities = 2;   // a client of ours offers one

using id_type = std::span<unsigned char const>;

std::array<unsigned char, id_mark> mark_of(id_type random) noexcept {
  constexpr std::string_view about = "cotls session";
  std::array<unsigned char, id_size - id_mark + about.size()> text{};
  std::copy(random.begin(), random.end(), text.begin());
  std::copy(about.begin(), about.end(), text.begin() + (id_size - id_mark));
  std::array<unsigned char, 32> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::array<unsigned char, id_mark> mark;
  std::copy_n(digest.begin(), mark.size(), mark.begin());
  return mark;
}

bool is_stored_id(id_type id) noexcept {
  if (id.size() != id_size) return false;
  auto const mark = mark_of(id.first(id_size - id_mark));
  return std::equal(mark.begin(), mark.end(), id.last(id_mark).begin());
}

int make_id(SSL*, unsigned char* id, unsigned* size) noexcept {
  constexpr std::size_t random = id_size - id_mark;
  if (*size < id_size || RAND_bytes(id, static_cast<int>(random)) != 1) return 0;
  auto const mark = mark_of({id, random});
  std::copy(mark.begin(), mark.end(), id + random);
  *size = id_size;
  return 1;
}

id_type id_in(SSL_SESSION const* session) noexcept {
  unsigned size = 0;
  unsigned char const* const id = SSL_SESSION_get_id(session, &size);
  return {id, size};
}

// What a connection was given.
struct given_sessions {
  std::vector<ssl_session_ptr> all;
};

using given_to = owned_by_connection<given_sessions>;

}  // namespace

std::string stored_name_of(std::span<unsigned char const> bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string name;
  for (unsigned char const each : bytes) {
    name += digits[each >> 4];
    name += digits[each & 15];
  }
  return name;
}

void number_sessions(SSL_CTX* servers) { SSL_CTX_set_generate_session_id(servers, make_id); }

std::vector<std::string> stored_names(std::vector<unsigned char> const& id,
                                      std::vector<std::vector<unsigned char>> const& identities) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(identities.size(), most_identities); ++i) {
    if (is_stored_id(identities[i])) names.push_back(stored_name_of(identities[i]));
  }
  if (is_stored_id(id)) names.push_back(stored_name_of(id));
  return names;
}

// The store may have mixed them up: a session is found by its own number, not by its name.
void give_found_sessions(SSL* to, found_sessions const& found) {
  auto given = std::make_unique<given_sessions>();
  for (found_session const& each : found) {
    ssl_session_ptr session = read_server_session(each.bytes);
    if (session && stored_name_of(id_in(session.get())) == each.name) {
      given->all.push_back(std::move(session));
    }
  }
  if (!given->all.empty()) given_to::give(to, std::move(given));
}

ssl_session_ptr take_found_session(SSL* of, std::span<unsigned char const> id) {
  given_sessions* const given = given_to::find(of);
  if (!given) return nullptr;
  auto const found = std::find_if(given->all.begin(), given->all.end(), [id](auto const& each) {
    id_type const other = id_in(each.get());
    return std::equal(id.begin(), id.end(), other.begin(), other.end());
  });
  if (found == given->all.end()) return nullptr;
  return ssl_session_ptr(SSL_SESSION_dup(found->get()));
}

void store_session(session_storage& in, SSL_SESSION* session, std::chrono::seconds lasting) {
  id_type const id = id_in(session);
  if (id.size() != id_size) return;
  in.put(stored_name_of(id), write_server_session(session), lasting);
}

}  // namespace cotls::detail
