#pragma once

#include <cotls/detail/channel/hello_framing.hpp>
#include <cotls/detail/support/role.hpp>

#include "settings/setting.hpp"

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>

namespace cotls::detail {

/** How long records and hellos may be, and what a key is good for; what is not set stays as a context
    has it. */
class record_settings {
 public:
  void set_small_first(bool on) noexcept { small_first_ = on; }
  bool small_first() const noexcept { return small_first_; }

  /** @par Errors errc::invalid_setting */
  void set_max_hello(std::size_t bytes);
  std::size_t max_hello() const noexcept { return max_hello_; }

  /** The plaintext of a record that is sent, in bytes, at the most.
      @par Errors errc::invalid_setting */
  void set_max_sent(std::size_t bytes);

  /** The same of one that a client asks its server to send; 0: whatever it likes.
      @par Errors errc::invalid_setting */
  void set_max_fragment(std::size_t bytes);

  /** After how many bytes of plaintext the key to send with is changed; 0: after max_key_records
      records alone. */
  void set_key_update_after(std::uint64_t bytes) noexcept { key_update_after_ = bytes; }
  std::uint64_t key_update_after() const noexcept { return key_update_after_; }

  /** Leaves the tickets of a server's context room in a client's next hello, too.
      @param applied  What the context has of it already. */
  void apply_to(SSL_CTX* context, role end, record_settings const& applied) const;

  bool operator==(record_settings const&) const = default;

 private:
  bool small_first_ = false;
  std::size_t max_hello_ = default_max_hello;
  setting<std::size_t> max_sent_;
  setting<unsigned char> max_fragment_;   // as it is sent (RFC 6066 section 4)
  std::uint64_t key_update_after_ = 0;
};

}  // namespace cotls::detail
