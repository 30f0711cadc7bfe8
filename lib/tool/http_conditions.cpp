#include "http_conditions.hpp"

#include "http_date.hpp"

#include <algorithm>
#include <charconv>

namespace cotls::tool {

namespace {

// Whether a list of entity tags names this one; "*" alone names any. Weak tags compare equal only
// where that is enough: not for If-Match (RFC 9110 section 13.1.1). Our own are always strong.
bool names_tag(std::string_view list, std::string_view tag, bool weak_is_enough) {
  if (list == "*") return true;
  while (!list.empty()) {
    std::size_t const start = list.find_first_not_of(" \t,");
    if (start == std::string_view::npos) return false;
    list.remove_prefix(start);
    bool const weak = list.starts_with("W/");
    if (weak) list.remove_prefix(2);
    if (!list.starts_with('"')) return false;
    std::size_t const end = list.find('"', 1);
    if (end == std::string_view::npos) return false;
    if (list.substr(0, end + 1) == tag && (weak_is_enough || !weak)) return true;
    list.remove_prefix(end + 1);
  }
  return false;
}

std::optional<std::time_t> date_of(http_request const& request, std::string_view name) {
  auto const text = request.value_of(name);
  return text ? parse_http_date(*text) : std::nullopt;
}

bool is_digit(char each) { return each >= '0' && each <= '9'; }

// Digits alone; a number beyond all files is the greatest.
std::optional<std::uint64_t> number(std::string_view text) {
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  std::uint64_t value = 0;
  auto const result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() ? value : UINT64_MAX;
}

// RFC 9110 section 13.1.5: a date is a validator only when it is exactly that of the file. Of
// several conditions none holds: a part of another version would be put beside the client's own.
bool if_range_holds(http_request const& request, file_version const& file) {
  if (request.count("if-range") == 0) return true;
  auto const condition = request.value_of("if-range");
  if (!condition) return false;
  if (condition->starts_with('"')) return *condition == file.tag;
  return parse_http_date(*condition) == file.changed;
}

// The part from one byte to another, of which the latter may be beyond the file.
range_request part(std::uint64_t first, std::uint64_t last, std::uint64_t size) {
  if (first >= size) return {range_request::kind::unsatisfiable, {}};
  return {range_request::kind::part, {first, std::min(last, size - 1) - first + 1}};
}

}  // namespace

std::optional<http_status> judge_conditions(http_request const& request,
                                            file_version const& file) {
  if (auto const tags = request.joined("if-match")) {
    if (!names_tag(*tags, file.tag, false)) return http_status::precondition_failed;
  } else if (auto const date = date_of(request, "if-unmodified-since")) {
    if (file.changed > *date) return http_status::precondition_failed;
  }
  // RFC 9110 section 13.1.3: "A recipient MUST ignore If-Modified-Since if the request contains an
  // If-None-Match header field".
  if (auto const tags = request.joined("if-none-match")) {
    if (names_tag(*tags, file.tag, true)) return http_status::not_modified;
  } else if (auto const date = date_of(request, "if-modified-since")) {
    if (file.changed <= *date) return http_status::not_modified;
  }
  return std::nullopt;
}

range_request find_range(http_request const& request, file_version const& file) {
  range_request const whole;
  std::string const text = request.value_of("range").value_or("");
  std::string_view range = text;
  constexpr std::string_view unit = "bytes=";
  // RFC 9110 section 14.1: "All range unit names are case-insensitive".
  if (!same_name(range.substr(0, unit.size()), unit)) return whole;
  if (!if_range_holds(request, file)) return whole;
  range.remove_prefix(unit.size());
  std::size_t const dash = range.find('-');
  if (dash == std::string_view::npos) return whole;
  std::string_view const from = range.substr(0, dash);
  std::string_view const to = range.substr(dash + 1);

  auto const last = to.empty() ? std::optional(UINT64_MAX) : number(to);
  if (from.empty()) {   // the last bytes, so many
    if (to.empty() || !last) return whole;
    std::uint64_t const length = std::min(*last, file.size);
    return part(length == 0 ? file.size : file.size - length, UINT64_MAX, file.size);
  }
  auto const first = number(from);
  if (!first || !last || *last < *first) return whole;
  return part(*first, *last, file.size);
}

}  // namespace cotls::tool
