#include "printable.hpp"

#include <cstddef>

namespace cotls::tool {

namespace {

bool continues(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

// How many bytes the character at the beginning has (Unicode 15, table 3-7); 0 when it is not one,
// or one that a terminal may obey.
std::size_t size_of_character(std::string_view text) {
  auto const byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  unsigned char const first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  if (first < 0xC2 || first > 0xF4 || !continues(text, 1)) return 0;
  if (first < 0xE0) return first == 0xC2 && byte(1) < 0xA0 ? 0 : 2;
  bool const overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  bool const surrogate = first == 0xED && byte(1) >= 0xA0;
  bool const beyond = first == 0xF4 && byte(1) >= 0x90;
  if (overlong || surrogate || beyond || !continues(text, 2)) return 0;
  if (first < 0xF0) return 3;
  return continues(text, 3) ? 4 : 0;
}

}  // namespace

std::string printable(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string shown;
  while (!text.empty()) {
    std::size_t const size = size_of_character(text);
    if (size > 0) {
      shown += text.substr(0, size);
    } else {
      auto const byte = static_cast<unsigned char>(text.front());
      shown += "\\x";
      shown += digits[byte >> 4];
      shown += digits[byte & 15];
    }
    text.remove_prefix(size > 0 ? size : 1);
  }
  return shown;
}

}  // namespace cotls::tool
