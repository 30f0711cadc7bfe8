#pragma once

#include <cotls/detail/channel/hello_framing.hpp>

#include <cstddef>

namespace cotls::detail {

/** What a server's connections do with records, which is not OpenSSL's affair. */
class record_settings {
 public:
  void set_small_first(bool on) noexcept { small_first_ = on; }
  bool small_first() const noexcept { return small_first_; }

  /** @par Errors errc::invalid_setting */
  void set_max_hello(std::size_t bytes);
  std::size_t max_hello() const noexcept { return max_hello_; }

  bool operator==(record_settings const&) const = default;

 private:
  bool small_first_ = false;
  std::size_t max_hello_ = default_max_hello;
};

}  // namespace cotls::detail
