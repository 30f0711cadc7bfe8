#pragma once

#include <cotls/ticket_key_options.hpp>

#include <chrono>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace cotls {

namespace detail {
class ticket_key_ring;
}

/** The keys that a server encrypts its session tickets with (RFC 5077, RFC 8446 section 4.6.1):
    AES-256 and HMAC-SHA-256, and those before them, which still decrypt.

    They change by themselves, as time goes on for the context that uses them (`set_verify_time`).
    Copies share them: contexts that are given the same keys resume each other's sessions, as do
    those of other processes with the same secret, or with keys that were handed over as bytes, as
    far as their certificates are for the same names.

    Whoever has the keys can read the tickets, and pretend to be any client that was verified with
    a certificate. They are wiped when nobody uses them any more.

    @par Concurrency Thread-safe: keys that are in use may be changed.
*/
class ticket_keys {
 public:
  /** Makes keys at random, which nobody else has.
      @par Errors `errc::invalid_setting` for a time under a second, or one of more than a year, and
      for more than 16 old keys; OpenSSL's */
  ticket_keys();
  explicit ticket_keys(ticket_key_options const& options);

  /** Derives keys from a secret and the time (HKDF, RFC 5869): those who have the secret and
      clocks that agree to the minute have the same keys at any time, without talking to each other.
      The key that is next is taken from those whose clock is ahead.

      What was encrypted stays readable for whoever has the secret, for ever; so change it from time
      to time.
      @param secret  At least 32 bytes, at random.
      @param scope   What else the keys depend on: those who say something else have other keys.
      @param options  The same for all who have the secret, at least the time.
      @par Errors As above; `errc::invalid_setting` for a secret that is too short */
  static ticket_keys from_secret(std::span<unsigned char const> secret, std::string_view scope = {},
                                 ticket_key_options const& options = ticket_key_options());

  /** Takes keys from `bytes`, which then change by themselves as they would have there.
      @par Errors `errc::invalid_ticket_keys` */
  static ticket_keys from_bytes(std::span<unsigned char const> bytes);

  /** Returns the keys as bytes, for another process: they are as secret as the keys, and nobody
      wipes them but the caller.
      @par Errors `errc::invalid_setting` for keys of a secret, which is shared instead */
  std::vector<unsigned char> bytes() const;

  /** Encrypts from now on with the newest key of these bytes, and decrypts with the others in them,
      and with its own that still do: how several processes are given the keys of one, while they
      run.
      @par Errors `errc::invalid_ticket_keys`; `errc::invalid_setting` for keys of a secret. The
      keys stay as they were. */
  void replace(std::span<unsigned char const> bytes);

  /** Encrypts from now on with a new key, before its time.
      @par Errors `errc::invalid_setting` for keys of a secret; OpenSSL's */
  void rotate();

  /** Returns for how long a ticket can be decrypted at the least: the time of all old keys. */
  std::chrono::seconds lasting() const noexcept;

  /** Tells whether these are the same keys, those of a copy. */
  bool operator==(ticket_keys const&) const = default;

  /** Makes a handle of what is shared; for the library itself. */
  explicit ticket_keys(std::shared_ptr<detail::ticket_key_ring> ring) noexcept;

  /** Returns what is shared, for the library itself. */
  std::shared_ptr<detail::ticket_key_ring> const& ring() const noexcept { return ring_; }

 private:
  std::shared_ptr<detail::ticket_key_ring> ring_;
};

}  // namespace cotls
