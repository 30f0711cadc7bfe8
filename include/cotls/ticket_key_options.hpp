#pragma once

#include <chrono>
#include <cstddef>

namespace cotls {

/** How long a key of `ticket_keys` is in use. */
class ticket_key_options {
 public:
  ticket_key_options() {}

  /** Encrypts with a new key after this time, in whole seconds; 12 h by default.
      What a key has encrypted can be read for so long and for `old_keys` times so long by whoever
      gets hold of it: in TLS 1.2 with all that connections have said which were resumed by it. */
  ticket_key_options& new_key_after(std::chrono::seconds time) {
    new_key_after_ = time;
    return *this;
  }

  /** How many keys before the one in use still decrypt; 2 by default. A ticket that is encrypted by
      one of them is renewed when it is used. */
  ticket_key_options& old_keys(std::size_t count) { old_keys_ = count; return *this; }

  std::chrono::seconds new_key_after() const noexcept { return new_key_after_; }
  std::size_t old_keys() const noexcept { return old_keys_; }

 private:
  std::chrono::seconds new_key_after_ = std::chrono::hours(12);
  std::size_t old_keys_ = 2;
};

}  // namespace cotls
