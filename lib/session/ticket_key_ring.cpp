// Keys at random: the first of the list encrypts until its time is over, and then a new one takes
// its place; each decrypts for the time of the old keys beside.
//
// Keys of a secret: time is divided into equal parts, whose numbers are derived from.
//
//   now / time of a key = n:   n + 1 (of those whose clock is ahead)   n   n - 1 ... n - old

#include "session/ticket_key_ring.hpp"

#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

namespace cotls::detail {

namespace {

constexpr std::size_t least_secret = 32;
constexpr std::size_t most_old_keys = 16;
constexpr std::chrono::seconds longest_key = std::chrono::hours(24 * 366);
constexpr std::string_view ring_magic = "cotls-keys\x01";
constexpr std::size_t digest_size = 32;

using raw_key = std::array<unsigned char, ticket_key::size>;

// Of a key on its way to where it is kept.
struct wiped_key {
  raw_key bytes{};
  ~wiped_key() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

ticket_key_options checked_options(ticket_key_options const& options) {
  if (options.new_key_after() < std::chrono::seconds(1) || options.new_key_after() > longest_key) {
    fail(errc::invalid_setting, "a time of ticket keys that is not from a second to a year");
  }
  if (options.old_keys() > most_old_keys) {
    fail(errc::invalid_setting,
         "more than " + std::to_string(most_old_keys) + " old keys of tickets");
  }
  return options;
}

// Two old keys last for as long as was asked for.
ticket_key_options lasting_options(std::chrono::seconds time) {
  ticket_key_options usual;
  std::chrono::seconds const half = (time + std::chrono::seconds(1)) / 2;
  return usual.new_key_after(std::max(usual.new_key_after(), half));
}

void put_number(std::vector<unsigned char>& to, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    to.push_back(static_cast<unsigned char>(number >> shift));
  }
}

std::int64_t number_in(unsigned char const* bytes) {
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | bytes[i];
  return static_cast<std::int64_t>(number);
}

std::array<unsigned char, digest_size> ring_digest(std::span<unsigned char const> bytes) {
  std::array<unsigned char, digest_size> digest{};
  unsigned length = 0;
  clear_openssl_errors();
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw_openssl_error({}, "digesting ticket keys");
  }
  return digest;
}

// What is written: the magic, the time of a key, how many old ones decrypt, how many there are; of
// each since when and its bytes; the digest of all that.
constexpr std::size_t ring_head = ring_magic.size() + 8 + 8 + 8;
constexpr std::size_t ring_entry = 8 + ticket_key::size;

struct written_ring {
  ticket_key_options options;
  std::vector<std::shared_ptr<ticket_key const>> keys;
};

[[noreturn]] void refuse_bytes() { fail(errc::invalid_ticket_keys, "reading ticket keys"); }

written_ring read_ring(std::span<unsigned char const> bytes) {
  if (bytes.size() < ring_head + digest_size) refuse_bytes();
  std::span<unsigned char const> const body = bytes.first(bytes.size() - digest_size);
  auto const digest = ring_digest(body);
  bool const whole =
      std::memcmp(body.data(), ring_magic.data(), ring_magic.size()) == 0 &&
      CRYPTO_memcmp(digest.data(), bytes.last(digest_size).data(), digest_size) == 0;
  if (!whole) refuse_bytes();
  unsigned char const* const numbers = body.data() + ring_magic.size();
  std::int64_t const time = number_in(numbers);
  auto const old = static_cast<std::uint64_t>(number_in(numbers + 8));
  auto const count = static_cast<std::uint64_t>(number_in(numbers + 16));
  bool const sound = time >= 1 && time <= longest_key.count() && old <= most_old_keys &&
                     count >= 1 && count <= old + 1 &&
                     body.size() == ring_head + count * ring_entry;
  if (!sound) refuse_bytes();
  written_ring read;
  read.options.new_key_after(std::chrono::seconds(time)).old_keys(old);
  for (std::size_t i = 0; i < count; ++i) {
    std::span<unsigned char const> const entry = body.subspan(ring_head + i * ring_entry);
    read.keys.push_back(std::make_shared<ticket_key const>(
        entry.subspan(8, ticket_key::size), static_cast<std::time_t>(number_in(entry.data()))));
  }
  return read;
}

bool has_name(ticket_key const& key, std::span<unsigned char const> name) {
  return std::equal(name.begin(), name.end(), key.name().begin(), key.name().end());
}

using kdf_ptr = std::unique_ptr<EVP_KDF, openssl_deleter<EVP_KDF_free>>;
using kdf_ctx_ptr = std::unique_ptr<EVP_KDF_CTX, openssl_deleter<EVP_KDF_CTX_free>>;

// RFC 5869 with SHA-256.
void derive_key(std::string_view secret, std::string_view info, raw_key& into) {
  clear_openssl_errors();
  kdf_ptr const kind(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  kdf_ctx_ptr const work(kind ? EVP_KDF_CTX_new(kind.get()) : nullptr);
  char digest[] = "SHA256";
  char salt[] = "cotls session ticket keys";
  OSSL_PARAM const parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<char*>(secret.data()),
                                        secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt, sizeof salt - 1),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, const_cast<char*>(info.data()),
                                        info.size()),
      OSSL_PARAM_construct_end()};
  if (!work || EVP_KDF_derive(work.get(), into.data(), into.size(), parameters) != 1) {
    throw_openssl_error({}, "deriving ticket keys");
  }
}

}  // namespace

ticket_key::ticket_key(std::span<unsigned char const> bytes, std::time_t from) noexcept
    : from_(from) {
  std::copy_n(bytes.begin(), bytes_.size(), bytes_.begin());
}

ticket_key::~ticket_key() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

ticket_key_ring::ticket_key_ring(ticket_key_options const& options)
    : options_(checked_options(options)) {}

ticket_key_ring::ticket_key_ring(std::chrono::seconds lasting)
    : ticket_key_ring(lasting_options(lasting)) {}

ticket_key_ring::ticket_key_ring(std::span<unsigned char const> secret, std::string_view scope,
                                 ticket_key_options const& options)
    : options_(checked_options(options)), scope_(scope) {
  if (secret.size() < least_secret) {
    fail(errc::invalid_setting, "a secret of ticket keys of fewer than " +
                                    std::to_string(least_secret) + " bytes");
  }
  secret_.assign(secret.begin(), secret.end());
}

std::shared_ptr<ticket_key_ring> ticket_key_ring::from_bytes(
    std::span<unsigned char const> bytes) {
  written_ring read = read_ring(bytes);
  auto made = std::make_shared<ticket_key_ring>(read.options);
  made->keys_ = std::move(read.keys);
  return made;
}

ticket_key_ring::~ticket_key_ring() { OPENSSL_cleanse(secret_.data(), secret_.size()); }

// A clock that was put back leaves the newest key in use.
ticket_key_ring::key_ptr ticket_key_ring::current(std::time_t now) {
  std::scoped_lock const lock(mutex_);
  if (is_derived()) return derived(now / period());
  if (keys_.empty() || now >= keys_.front()->from() + period()) make_random(now);
  return keys_.front();
}

ticket_key_ring::found ticket_key_ring::find(std::span<unsigned char const> name,
                                             std::time_t now) {
  std::scoped_lock const lock(mutex_);
  if (is_derived()) {
    std::int64_t const newest = now / period();
    auto const old = static_cast<std::int64_t>(options_.old_keys());
    for (std::int64_t number = newest + 1; number >= newest - old; --number) {
      if (key_ptr key = derived(number); has_name(*key, name)) return {key, number < newest};
    }
    return {};
  }
  forget_expired(now);
  auto const known = std::find_if(keys_.begin(), keys_.end(),
                                  [name](key_ptr const& key) { return has_name(*key, name); });
  if (known == keys_.end()) return {};
  bool const is_old = known != keys_.begin() || now >= (*known)->from() + period();
  return {*known, is_old};
}

std::vector<unsigned char> ticket_key_ring::to_bytes() {
  std::scoped_lock const lock(mutex_);
  if (is_derived()) fail(errc::invalid_setting, "the bytes of ticket keys that have a secret");
  if (keys_.empty()) make_random(std::time(nullptr));
  std::vector<unsigned char> bytes;
  bytes.reserve(ring_head + keys_.size() * ring_entry + digest_size);   // nothing is left behind
  bytes.assign(ring_magic.begin(), ring_magic.end());
  put_number(bytes, static_cast<std::uint64_t>(period()));
  put_number(bytes, options_.old_keys());
  put_number(bytes, keys_.size());
  for (key_ptr const& key : keys_) {
    put_number(bytes, static_cast<std::uint64_t>(key->from()));
    bytes.insert(bytes.end(), key->bytes().begin(), key->bytes().end());
  }
  auto const digest = ring_digest(bytes);
  bytes.insert(bytes.end(), digest.begin(), digest.end());
  return bytes;
}

void ticket_key_ring::replace(std::span<unsigned char const> bytes) {
  if (is_derived()) fail(errc::invalid_setting, "replacing ticket keys that have a secret");
  keys given = read_ring(bytes).keys;
  std::scoped_lock const lock(mutex_);
  for (key_ptr const& own : keys_) {
    bool const known = std::any_of(given.begin(), given.end(), [&](key_ptr const& each) {
      return has_name(*each, own->name());
    });
    if (!known) given.push_back(own);
  }
  if (given.size() > most_old_keys + 1) given.resize(most_old_keys + 1);
  keys_ = std::move(given);
}

void ticket_key_ring::rotate(std::time_t now) {
  if (is_derived()) fail(errc::invalid_setting, "rotating ticket keys that have a secret");
  std::scoped_lock const lock(mutex_);
  make_random(now);
}

std::chrono::seconds ticket_key_ring::lasting() const noexcept {
  return options_.new_key_after() * static_cast<std::int64_t>(options_.old_keys());
}

void ticket_key_ring::make_random(std::time_t from) {
  wiped_key made;
  clear_openssl_errors();
  if (RAND_priv_bytes(made.bytes.data(), static_cast<int>(made.bytes.size())) != 1) {
    throw_openssl_error({}, "making a key of tickets");
  }
  forget_expired(from);
  keys_.insert(keys_.begin(), std::make_shared<ticket_key const>(made.bytes, from));
  if (keys_.size() > options_.old_keys() + 1) keys_.resize(options_.old_keys() + 1);
}

ticket_key_ring::key_ptr ticket_key_ring::derived(std::int64_t number) {
  auto const from = static_cast<std::time_t>(number * period());
  auto const known = std::find_if(keys_.begin(), keys_.end(),
                                  [from](key_ptr const& key) { return key->from() == from; });
  if (known != keys_.end()) return *known;
  std::vector<unsigned char> numbers;
  put_number(numbers, static_cast<std::uint64_t>(number));
  put_number(numbers, static_cast<std::uint64_t>(period()));
  std::string const info = std::string(numbers.begin(), numbers.end()) + scope_;
  wiped_key made;
  derive_key(secret_, info, made.bytes);
  key_ptr const key = std::make_shared<ticket_key const>(made.bytes, from);
  // Of other times there are too many now, whichever way the clock went.
  if (keys_.size() > options_.old_keys() + 2) keys_.clear();
  keys_.push_back(key);
  return key;
}

void ticket_key_ring::forget_expired(std::time_t now) {
  auto const lasts = period() * static_cast<std::int64_t>(options_.old_keys() + 1);
  std::erase_if(keys_, [=](key_ptr const& key) { return now >= key->from() + lasts; });
}

}  // namespace cotls::detail
