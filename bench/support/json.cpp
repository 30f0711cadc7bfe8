#include "json.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

namespace bench {

namespace {

std::string json_string(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string made = "\"";
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      made += {'\\', c};
    } else if (byte < 0x20) {
      made += "\\u00";
      made += {digits[byte >> 4], digits[byte & 15]};
    } else {
      made += c;
    }
  }
  return made + '"';
}

// JSON has no infinity, and a locale must not change the point.
std::string to_json(double value) {
  if (!std::isfinite(value)) return "null";
  std::array<char, 32> text;
  auto const [end, failed] = std::to_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() ? std::string(text.data(), end) : "null";
}

std::string to_json(parameter const& value) {
  if (auto const* text = std::get_if<std::string>(&value)) return json_string(*text);
  return std::to_string(std::get<std::int64_t>(value));
}

std::string to_json(subject const& of) {
  std::string made = "{";
  for (auto const& [name, value] : of.given) {
    if (made.size() > 1) made += ", ";
    made += json_string(name) + ": " + to_json(value);
  }
  if (of.tuned) made += made.size() > 1 ? ", \"tuned\": true" : "\"tuned\": true";
  return made + "}";
}

}  // namespace

void write_json(std::ostream& to, results const& all) {
  to << '[';
  char const* separator = "\n";
  for (result const& one : all.all()) {
    to << separator << "  {\"scenario\": " << json_string(one.of.scenario)
       << ", \"implementation\": " << json_string(one.of.implementation)
       << ", \"parameters\": " << to_json(one.of) << ", \"figure\": " << json_string(one.what.name)
       << ", \"unit\": " << json_string(one.what.unit) << ", \"value\": " << to_json(one.values.median())
       << ", \"low\": " << to_json(one.values.lowest())
       << ", \"high\": " << to_json(one.values.highest()) << '}';
    separator = ",\n";
  }
  to << "\n]\n";
}

}  // namespace bench
