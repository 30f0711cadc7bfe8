#pragma once

#include <cotls/detail/channel/hello_framing.hpp>
#include <cotls/detail/support/role.hpp>

#include "settings/setting.hpp"

#include <openssl/types.h>

#include <cstddef>

namespace cotls::detail {

/** How long records and hellos may be; what is not set stays as a context has it. */
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

  /** Leaves the tickets of a server's context room in a client's next hello, too.
      @param applied  What the context has of it already. */
  void apply_to(SSL_CTX* context, role end, record_settings const& applied) const;

  bool operator==(record_settings const&) const = default;

 private:
  bool small_first_ = false;
  std::size_t max_hello_ = default_max_hello;
  setting<std::size_t> max_sent_;
  setting<unsigned char> max_fragment_;   // as it is sent (RFC 6066 section 4)
};

}  // namespace cotls::detail
