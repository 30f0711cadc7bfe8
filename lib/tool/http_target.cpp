#include "http_target.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

namespace cotls::tool {

namespace {

std::string lower_case(std::string_view text) {
  std::string lowered(text);
  for (char& each : lowered) {
    if (each >= 'A' && each <= 'Z') each = static_cast<char>(each - 'A' + 'a');
  }
  return lowered;
}

// The path of an origin-form or an absolute-form, still encoded.
std::optional<std::string_view> path_of(std::string_view target) {
  std::string const beginning = lower_case(target.substr(0, 8));
  for (std::string_view const scheme : {"http://", "https://"}) {
    if (!beginning.starts_with(scheme)) continue;
    target.remove_prefix(scheme.size());
    std::size_t const end = std::min(target.find_first_of("/?"), target.size());
    if (end == 0) return std::nullopt;
    target.remove_prefix(end);
    if (!target.starts_with('/')) return "/";
    break;
  }
  if (!target.starts_with('/') || target.find('#') != std::string_view::npos) return std::nullopt;
  return target.substr(0, target.find('?'));
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    if (text.front() != '%') {
      decoded += text.front();
      text.remove_prefix(1);
      continue;
    }
    unsigned byte = 0;
    std::string_view const digits = text.substr(1, 2);
    char const* const end = digits.data() + digits.size();
    auto const [stopped, failed] = std::from_chars(digits.data(), end, byte, 16);
    bool const good = digits.size() == 2 && failed == std::errc() && stopped == end && byte != 0;
    if (!good) return std::nullopt;
    decoded += static_cast<char>(byte);
    text.remove_prefix(3);
  }
  return decoded;
}

template <class Take>
void for_each_segment(std::string_view path, Take const& take) {
  for (std::size_t at = 0; at <= path.size();) {
    std::size_t const slash = std::min(path.find('/', at), path.size());
    take(path.substr(at, slash - at));
    at = slash + 1;
  }
}

// RFC 3986 section 5.2.4, but that what climbs above the root is refused.
std::optional<std::string> without_dots(std::string_view path) {
  std::vector<std::string_view> segments;
  bool climbed_out = false;
  bool ends_in_directory = false;
  for_each_segment(path, [&](std::string_view segment) {
    ends_in_directory = segment.empty() || segment == "." || segment == "..";
    if (!ends_in_directory) segments.push_back(segment);
    if (segment != "..") return;
    if (segments.empty()) climbed_out = true;
    else segments.pop_back();
  });
  if (climbed_out) return std::nullopt;
  std::string plain;
  for (std::string_view const segment : segments) plain.append("/").append(segment);
  if (ends_in_directory) plain += '/';
  return plain;
}

}  // namespace

std::optional<std::string> decode_target(std::string_view target) {
  std::optional<std::string_view> const path = path_of(target);
  if (!path) return std::nullopt;
  std::optional<std::string> const decoded = percent_decoded(*path);
  return decoded ? without_dots(*decoded) : std::nullopt;
}

std::string encode_path(std::string_view path) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (char const each : path) {
    bool const letter = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z');
    bool const digit = each >= '0' && each <= '9';
    if (letter || digit || std::string_view("-._~/").find(each) != std::string_view::npos) {
      encoded += each;
      continue;
    }
    auto const byte = static_cast<unsigned char>(each);
    encoded += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return encoded;
}

bool is_hidden(std::string_view path) {
  bool hidden = false;
  for_each_segment(path, [&](std::string_view segment) {
    if (segment.starts_with('.') && segment != ".well-known") hidden = true;
  });
  return hidden;
}

std::string_view media_type(std::string_view path) {
  using entry = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<entry, 27> known{{
      {"avif", "image/avif"},
      {"css", "text/css; charset=utf-8"},
      {"csv", "text/csv; charset=utf-8"},
      {"gif", "image/gif"},
      {"htm", "text/html; charset=utf-8"},
      {"html", "text/html; charset=utf-8"},
      {"ico", "image/vnd.microsoft.icon"},
      {"jpeg", "image/jpeg"},
      {"jpg", "image/jpeg"},
      {"js", "text/javascript; charset=utf-8"},
      {"json", "application/json"},
      {"map", "application/json"},
      {"md", "text/markdown; charset=utf-8"},
      {"mjs", "text/javascript; charset=utf-8"},
      {"mp3", "audio/mpeg"},
      {"mp4", "video/mp4"},
      {"pdf", "application/pdf"},
      {"png", "image/png"},
      {"svg", "image/svg+xml"},
      {"txt", "text/plain; charset=utf-8"},
      {"wasm", "application/wasm"},
      {"wav", "audio/wav"},
      {"webm", "video/webm"},
      {"webp", "image/webp"},
      {"woff2", "font/woff2"},
      {"xml", "application/xml"},
      {"zip", "application/zip"},
  }};
  std::string_view const name = path.substr(path.find_last_of('/') + 1);
  std::size_t const dot = name.find_last_of('.');
  if (dot == std::string_view::npos) return "application/octet-stream";
  std::string const extension = lower_case(name.substr(dot + 1));
  auto const found = std::find_if(known.begin(), known.end(),
                                  [&](entry const& one) { return one.first == extension; });
  return found == known.end() ? "application/octet-stream" : found->second;
}

}  // namespace cotls::tool
