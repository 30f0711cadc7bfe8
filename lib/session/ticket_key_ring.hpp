#pragma once

#include <cotls/ticket_key_options.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cotls::detail {

/** A key of tickets: the name by which a ticket calls it, and what encrypts and signs. */
class ticket_key {
 public:
  static constexpr std::size_t name_size = 16;
  static constexpr std::size_t secret_size = 32;
  static constexpr std::size_t size = name_size + 2 * secret_size;

  /** @param bytes  Of `size`: the name, the cipher's key, the signature's.
      @param from   Since when it encrypts; of keys of a secret, the beginning of its time. */
  ticket_key(std::span<unsigned char const> bytes, std::time_t from) noexcept;
  ticket_key(ticket_key const&) = delete;
  ticket_key& operator=(ticket_key const&) = delete;
  ~ticket_key();

  std::span<unsigned char const> bytes() const noexcept { return bytes_; }
  std::span<unsigned char const> name() const noexcept { return bytes().first(name_size); }
  std::span<unsigned char const> cipher_key() const noexcept {
    return bytes().subspan(name_size, secret_size);
  }
  std::span<unsigned char const> signature_key() const noexcept {
    return bytes().last(secret_size);
  }
  std::time_t from() const noexcept { return from_; }

 private:
  std::array<unsigned char, size> bytes_;
  std::time_t from_;
};

/** The key of tickets that is in use, and those that still decrypt. Thread-safe. */
class ticket_key_ring {
 public:
  using key_ptr = std::shared_ptr<ticket_key const>;

  /// A key that a ticket calls for, and whether the ticket is to be renewed.
  struct found {
    key_ptr key;
    bool is_old = false;
  };

  /** Makes keys at random.
      @par Errors errc::invalid_setting */
  explicit ticket_key_ring(ticket_key_options const& options);

  /** Makes keys at random that last at least so long. */
  explicit ticket_key_ring(std::chrono::seconds lasting);

  /** Derives keys from a secret. @par Errors as `ticket_keys::from_secret` */
  ticket_key_ring(std::span<unsigned char const> secret, std::string_view scope,
                  ticket_key_options const& options);

  /** Takes keys from bytes. @par Errors errc::invalid_ticket_keys */
  static std::shared_ptr<ticket_key_ring> from_bytes(std::span<unsigned char const> bytes);

  ticket_key_ring(ticket_key_ring const&) = delete;
  ticket_key_ring& operator=(ticket_key_ring const&) = delete;
  ~ticket_key_ring();

  /** Returns the key to encrypt with at a moment. @par Errors OpenSSL's, std::bad_alloc */
  key_ptr current(std::time_t now);

  /** Returns the key of a name, if it still decrypts. @par Errors as above */
  found find(std::span<unsigned char const> name, std::time_t now);

  /** As of `ticket_keys`. */
  std::vector<unsigned char> to_bytes();
  void replace(std::span<unsigned char const> bytes);
  void rotate(std::time_t now);
  std::chrono::seconds lasting() const noexcept;

 private:
  using keys = std::vector<key_ptr>;

  std::int64_t period() const noexcept { return options_.new_key_after().count(); }
  bool is_derived() const noexcept { return !secret_.empty(); }
  void make_random(std::time_t from);
  key_ptr derived(std::int64_t number);
  void forget_expired(std::time_t now);

  ticket_key_options const options_;
  std::string secret_;   // empty: the keys are random
  std::string scope_;
  std::mutex mutex_;
  keys keys_;   // the newest first; of a secret, those that were asked for
};

}  // namespace cotls::detail
