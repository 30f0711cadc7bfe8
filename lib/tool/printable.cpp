#include "printable.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace cotls::tool {

namespace {

// Characters that are not seen: a name that holds one looks like another, or, with the marks of
// bidirectional text, like itself in another order. They are those of Unicode 15 whose property
// Default_Ignorable_Code_Point is set, the separators of lines and paragraphs, and the marks of
// interlinear annotation.
bool is_invisible(char32_t character) {
  using range = std::pair<char32_t, char32_t>;
  static constexpr std::array<range, 17> invisible{{
      {0x00AD, 0x00AD},   // soft hyphen
      {0x034F, 0x034F},
      {0x061C, 0x061C},   // Arabic letter mark
      {0x115F, 0x1160},
      {0x17B4, 0x17B5},
      {0x180B, 0x180F},
      {0x200B, 0x200F},   // zero width, left-to-right and right-to-left marks
      {0x2028, 0x202E},   // separators, bidirectional embeddings and overrides
      {0x2060, 0x206F},   // word joiner, bidirectional isolates
      {0x3164, 0x3164},
      {0xFE00, 0xFE0F},   // variation selectors
      {0xFEFF, 0xFEFF},   // byte order mark
      {0xFFA0, 0xFFA0},
      {0xFFF0, 0xFFFB},
      {0x1BCA0, 0x1BCA3},
      {0x1D173, 0x1D17A},
      {0xE0000, 0xE0FFF},   // tags, more variation selectors
  }};
  return std::any_of(invisible.begin(), invisible.end(), [&](range const& one) {
    return one.first <= character && character <= one.second;
  });
}

bool continues(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

// How many bytes the character at the beginning has (Unicode 15, table 3-7); 0 when it is not one,
// or a control character, which a terminal may obey.
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

char32_t decoded(std::string_view character) {
  auto const first = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return first;
  char32_t value = first & (0xFFu >> (character.size() + 1));
  for (char const each : character.substr(1)) {
    value = value << 6 | (static_cast<unsigned char>(each) & 0x3Fu);
  }
  return value;
}

void append_escaped(std::string& to, std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (char const each : bytes) {
    auto const byte = static_cast<unsigned char>(each);
    to += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    std::size_t const size = size_of_character(text);
    std::string_view const piece = text.substr(0, size > 0 ? size : 1);
    if (size == 0 || is_invisible(decoded(piece))) append_escaped(shown, piece);
    else shown += piece;
    text.remove_prefix(piece.size());
  }
  return shown;
}

}  // namespace cotls::tool
