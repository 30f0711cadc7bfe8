// The bytes of a session, numbers with the most significant first:
//
//   "cotls-session", the version of this form, the kind: a client's        15 bytes
//   port 2, verified 1, OCSP 1, identity 32
//   the lengths of what follows, 4 each: server, variety, OpenSSL's form
//   what was counted
//   SHA-256 of all that, which tells damage, and not who has written it    32
//
// Those of a server's, whose kind is another, have OpenSSL's form alone.

#include "session/session_bytes.hpp"

#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace cotls::detail {

namespace {

constexpr std::string_view session_magic = "cotls-session\x01" "c";
constexpr std::string_view server_magic = "cotls-session\x01" "s";
constexpr std::size_t session_digest = 32;
constexpr std::size_t longest_session = 1 << 20;   // no certificates or tickets are so long

void put(std::vector<unsigned char>& to, std::uint32_t number, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) to.push_back(static_cast<unsigned char>(number >> (8 * i)));
}

std::array<unsigned char, session_digest> digest_of_session(std::span<unsigned char const> bytes) {
  std::array<unsigned char, session_digest> digest{};
  unsigned length = 0;
  clear_openssl_errors();
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw_openssl_error({}, "digesting a session");
  }
  return digest;
}

[[noreturn]] void refuse_session() { fail(errc::invalid_session, "reading a session"); }

// Takes one thing after the other, and refuses what is not there.
class session_reader {
 public:
  explicit session_reader(std::span<unsigned char const> bytes) noexcept : rest_(bytes) {}

  std::span<unsigned char const> take(std::size_t size) {
    if (size > rest_.size()) refuse_session();
    auto const taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  std::uint32_t number(std::size_t bytes) {
    std::uint32_t read = 0;
    for (unsigned char const each : take(bytes)) read = read << 8 | each;
    return read;
  }

  std::string text(std::size_t size) {
    auto const taken = take(size);
    return {taken.begin(), taken.end()};
  }

  bool empty() const noexcept { return rest_.empty(); }

 private:
  std::span<unsigned char const> rest_;
};

// What is before the digest, which is the right one.
std::span<unsigned char const> checked_body(std::span<unsigned char const> bytes) {
  if (bytes.size() < session_digest || bytes.size() > longest_session) refuse_session();
  auto const body = bytes.first(bytes.size() - session_digest);
  auto const expected = bytes.last(session_digest);
  auto const digest = digest_of_session(body);
  if (!std::equal(digest.begin(), digest.end(), expected.begin())) refuse_session();
  return body;
}

// OpenSSL's form of a session, wiped when it is let go of.
class encoded_session {
 public:
  explicit encoded_session(SSL_SESSION* session) {
    clear_openssl_errors();
    unsigned char* made = nullptr;
    int const size = i2d_SSL_SESSION(session, &made);
    der_.reset(made);
    if (size <= 0) throw_openssl_error(errc::unexpected_result, "encoding a session");
    size_ = static_cast<std::size_t>(size);
  }
  encoded_session(encoded_session const&) = delete;
  encoded_session& operator=(encoded_session const&) = delete;
  ~encoded_session() { OPENSSL_cleanse(der_.get(), size_); }

  std::span<unsigned char const> bytes() const noexcept { return {der_.get(), size_}; }

 private:
  openssl_memory_ptr der_;
  std::size_t size_ = 0;
};

ssl_session_ptr native_session(std::span<unsigned char const> der) {
  unsigned char const* next = der.data();
  clear_openssl_errors();
  ssl_session_ptr read(d2i_SSL_SESSION(nullptr, &next, static_cast<long>(der.size())));
  bool const whole = read && next == der.data() + der.size();
  clear_openssl_errors();
  if (!whole || SSL_SESSION_is_resumable(read.get()) != 1) refuse_session();
  return read;
}

}  // namespace

std::vector<unsigned char> write_server_session(SSL_SESSION* session) {
  encoded_session const der(session);
  std::vector<unsigned char> bytes(server_magic.begin(), server_magic.end());
  bytes.reserve(server_magic.size() + der.bytes().size() + session_digest);
  bytes.insert(bytes.end(), der.bytes().begin(), der.bytes().end());
  auto const digest = digest_of_session(bytes);
  bytes.insert(bytes.end(), digest.begin(), digest.end());
  return bytes;
}

ssl_session_ptr read_server_session(std::span<unsigned char const> bytes) {
  try {
    auto const body = checked_body(bytes);
    session_reader from(body);
    if (from.text(server_magic.size()) != server_magic) return nullptr;
    return native_session(body.subspan(server_magic.size()));
  } catch (error const&) {
    return nullptr;
  }
}

bool looks_like_session(std::span<unsigned char const> bytes) noexcept {
  constexpr std::string_view name = session_magic.substr(0, session_magic.size() - 2);
  return bytes.size() >= name.size() && std::equal(name.begin(), name.end(), bytes.begin());
}

std::vector<unsigned char> write_session(session_body const& session) {
  session_origin const& origin = session.origin();
  encoded_session const der(session.native());
  std::vector<unsigned char> bytes(session_magic.begin(), session_magic.end());
  // So that what is secret is not left behind where it has grown out of.
  bytes.reserve(session_magic.size() + 48 + origin.server.size() + origin.variety.size() +
                der.bytes().size() + session_digest);
  put(bytes, origin.port, 2);
  put(bytes, origin.verified, 1);
  put(bytes, origin.ocsp, 1);
  bytes.insert(bytes.end(), origin.identity.begin(), origin.identity.end());
  put(bytes, static_cast<std::uint32_t>(origin.server.size()), 4);
  put(bytes, static_cast<std::uint32_t>(origin.variety.size()), 4);
  put(bytes, static_cast<std::uint32_t>(der.bytes().size()), 4);
  bytes.insert(bytes.end(), origin.server.begin(), origin.server.end());
  bytes.insert(bytes.end(), origin.variety.begin(), origin.variety.end());
  bytes.insert(bytes.end(), der.bytes().begin(), der.bytes().end());
  auto const digest = digest_of_session(bytes);
  bytes.insert(bytes.end(), digest.begin(), digest.end());
  return bytes;
}

std::shared_ptr<session_body const> read_session(std::span<unsigned char const> bytes) {
  session_reader from(checked_body(bytes));
  if (from.text(session_magic.size()) != session_magic) refuse_session();
  session_origin origin;
  origin.port = static_cast<std::uint16_t>(from.number(2));
  origin.verified = from.number(1) != 0;
  origin.ocsp = static_cast<std::uint8_t>(from.number(1));
  auto const identity = from.take(origin.identity.size());
  std::copy(identity.begin(), identity.end(), origin.identity.begin());
  std::size_t const server = from.number(4);
  std::size_t const variety = from.number(4);
  std::size_t const der = from.number(4);
  origin.server = from.text(server);
  origin.variety = from.text(variety);
  ssl_session_ptr native = native_session(from.take(der));
  if (!from.empty()) refuse_session();
  return std::make_shared<session_body>(std::move(native), std::move(origin));
}

}  // namespace cotls::detail
