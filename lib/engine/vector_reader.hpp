#pragma once

#include <cstddef>
#include <span>

namespace cotls::detail {

/** Takes apart what RFC 8446 section 3 calls vectors. Once something does not fit, nothing does. */
class vector_reader {
 public:
  explicit vector_reader(std::span<unsigned char const> bytes) : rest_(bytes) {}

  bool failed() const noexcept { return failed_; }
  bool empty() const noexcept { return failed_ || rest_.empty(); }

  unsigned number(std::size_t bytes) {
    unsigned value = 0;
    for (unsigned char const each : take(bytes)) value = value << 8 | each;
    return value;
  }

  /// All that is left.
  std::span<unsigned char const> rest() { return take(rest_.size()); }

  void skip(std::size_t bytes) { take(bytes); }

  /// A vector behind its length, which is a number of so many bytes.
  std::span<unsigned char const> vector(std::size_t length_bytes) {
    return take(number(length_bytes));
  }

  /// True when there is one vector and nothing behind it; it is then what is read.
  bool enter(std::size_t length_bytes) {
    auto const inner = vector(length_bytes);
    if (!empty()) failed_ = true;
    rest_ = inner;
    return !failed_;
  }

 private:
  std::span<unsigned char const> take(std::size_t size) {
    if (size > rest_.size()) failed_ = true;
    if (failed_) return {};
    auto const taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  std::span<unsigned char const> rest_;
  bool failed_ = false;
};

}  // namespace cotls::detail
