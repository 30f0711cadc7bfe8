#pragma once

#include "require.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

/* What scenarios send, and how it is checked: every byte's value follows from its place. */

namespace bench {

/** Lets every sender of the program get a byte wrong: proves that the receivers check. */
inline bool spoil_payloads = false;

/** Called by each sender, once what it sends is made. */
inline void spoil_if_asked(std::vector<char>& data) noexcept {
  if (spoil_payloads) data[data.size() / 2] = static_cast<char>(~data[data.size() / 2]);
}

/** After so many bytes a payload repeats. A receiver's position in it is found out by no short
    period: a block that is lost, doubled or swapped does not fit. */
inline constexpr std::size_t payload_period = 64 * 1024;

/** Makes a payload; its size divides the period or is a multiple of it. */
inline std::vector<char> make_payload(std::size_t size) {
  std::vector<char> made(std::max(size, payload_period));
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (i % payload_period == 0) state = 1;
    state = state * 1664525 + 1013904223;
    made[i] = static_cast<char>(state >> 24);
  }
  return made;
}

/** Checks a stream of bytes that repeats the payload. */
class payload_check {
 public:
  void operator()(char const* received, std::size_t size) {
    while (size > 0) {
      std::size_t const here = offset_ % payload_period;
      std::size_t const some = std::min(size, payload_period - here);
      require(std::memcmp(received, expected_.data() + here, some) == 0,
              "what was read is not what was written");
      offset_ += some;
      received += some;
      size -= some;
    }
  }

  std::size_t checked() const noexcept { return offset_; }

 private:
  std::vector<char> expected_ = make_payload(payload_period);
  std::size_t offset_ = 0;
};

}  // namespace bench
