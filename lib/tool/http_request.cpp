#include "http_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace cotls::tool {

namespace {

using state = parsed_request::state;

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  auto const allowed = [](char each) {
    bool const letter = lower(each) >= 'a' && lower(each) <= 'z';
    bool const digit = each >= '0' && each <= '9';
    return letter || digit || std::string_view("!#$%&'*+-.^_`|~").find(each) != std::string::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

bool is_visible(char each) { return each > ' ' && each < 127; }

// RFC 9110 section 5.5: other control characters may not be in a value, CR and NUL least of all.
bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char each) {
    auto const byte = static_cast<unsigned char>(each);
    return byte == '\t' || (byte >= ' ' && byte != 127);
  });
}

std::string_view trimmed(std::string_view text) {
  auto const first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Takes a line off the text, without its end; nothing when its end has not come.
std::optional<std::string_view> next_line(std::string_view& text) {
  std::size_t const end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool is_known_method(std::string_view method) {
  constexpr std::array<std::string_view, 9> known{"GET",    "HEAD",    "POST",    "PUT",  "DELETE",
                                                  "PATCH",  "OPTIONS", "CONNECT", "TRACE"};
  return std::find(known.begin(), known.end(), method) != known.end();
}

std::optional<http_status> parse_version(std::string_view text, http_request& to) {
  auto const is_digit = [](char each) { return each >= '0' && each <= '9'; };
  bool const is_version = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) &&
                          text[6] == '.' && is_digit(text[7]);
  if (!is_version) return http_status::bad_request;
  if (text[5] != '1') return http_status::version_not_supported;
  to.minor_version = text[7] == '0' ? 0 : 1;
  return std::nullopt;
}

// Returns why the line is refused.
std::optional<http_status> parse_request_line(std::string_view line, http_request& to) {
  if (line.size() > max_request_line) return http_status::uri_too_long;
  std::size_t const first = line.find(' ');
  std::size_t const last = line.rfind(' ');
  if (first == last) return http_status::bad_request;
  to.method = line.substr(0, first);
  to.target = line.substr(first + 1, last - first - 1);
  bool const visible = std::all_of(to.target.begin(), to.target.end(), is_visible);
  if (!is_token(to.method) || to.target.empty() || !visible) return http_status::bad_request;
  if (auto const refused = parse_version(line.substr(last + 1), to)) return refused;
  if (!is_known_method(to.method)) return http_status::not_implemented;
  return std::nullopt;
}

// A line that begins with white space is a folded one, and no token.
std::optional<http_status> parse_field(std::string_view line, http_request& to) {
  if (to.fields.size() == max_request_fields) return http_status::fields_too_large;
  std::size_t const colon = line.find(':');
  if (colon == std::string_view::npos) return http_status::bad_request;
  std::string_view const name = line.substr(0, colon);
  std::string_view const value = trimmed(line.substr(colon + 1));
  if (!is_token(name) || !is_field_value(value)) return http_status::bad_request;
  to.fields.push_back({std::string(name), std::string(value)});
  return std::nullopt;
}

// RFC 9112 section 3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1
// request message that lacks a Host header field and to any request message that contains more than
// one Host header field line or a Host header field with an invalid field value."
bool has_good_host(http_request const& request) {
  std::size_t const hosts = request.count("host");
  if (hosts == 0) return request.minor_version == 0;
  std::string const host = request.value_of("host").value_or("");
  return hosts == 1 && std::all_of(host.begin(), host.end(), [](char each) {
    return is_visible(each) && std::string_view("/?#@\\,").find(each) == std::string_view::npos;
  });
}

// RFC 9112 section 6.3: where a message ends must never be in doubt.
std::optional<http_status> find_content(http_request& request) {
  bool const has_coding = request.count("transfer-encoding") > 0;
  std::size_t const lengths = request.count("content-length");
  if (has_coding) {
    if (lengths > 0 || request.minor_version == 0) return http_status::bad_request;
    if (request.list("transfer-encoding") != std::vector<std::string>{"chunked"}) {
      return http_status::not_implemented;
    }
    request.has_content = true;
    return std::nullopt;
  }
  if (lengths == 0) return std::nullopt;
  std::string const text = request.value_of("content-length").value_or("");
  std::uint64_t length = 0;
  auto const [stopped, failed] = std::from_chars(text.data(), text.data() + text.size(), length);
  bool const is_number = failed == std::errc() && stopped == text.data() + text.size();
  if (lengths > 1 || !is_number) return http_status::bad_request;
  request.has_content = length > 0;
  return std::nullopt;
}

// RFC 9112 section 9.3.
bool wants_to_go_on(http_request const& request) {
  std::vector<std::string> const wishes = request.list("connection");
  auto const wished = [&](char const* what) {
    return std::find(wishes.begin(), wishes.end(), what) != wishes.end();
  };
  if (wished("close")) return false;
  return request.minor_version >= 1 || wished("keep-alive");
}

parsed_request refuse(http_status status) {
  parsed_request refused;
  refused.what = state::refused;
  refused.status = status;
  return refused;
}

}  // namespace

std::string_view reason_phrase(http_status status) noexcept {
  switch (status) {
    case http_status::ok: return "OK";
    case http_status::partial_content: return "Partial Content";
    case http_status::moved_permanently: return "Moved Permanently";
    case http_status::not_modified: return "Not Modified";
    case http_status::bad_request: return "Bad Request";
    case http_status::forbidden: return "Forbidden";
    case http_status::not_found: return "Not Found";
    case http_status::method_not_allowed: return "Method Not Allowed";
    case http_status::precondition_failed: return "Precondition Failed";
    case http_status::uri_too_long: return "URI Too Long";
    case http_status::range_not_satisfiable: return "Range Not Satisfiable";
    case http_status::too_early: return "Too Early";
    case http_status::fields_too_large: return "Request Header Fields Too Large";
    case http_status::internal_error: return "Internal Server Error";
    case http_status::not_implemented: return "Not Implemented";
    case http_status::unavailable: return "Service Unavailable";
    case http_status::version_not_supported: return "HTTP Version Not Supported";
  }
  return "";
}

bool same_name(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char one, char other) { return lower(one) == lower(other); });
}

std::size_t http_request::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields.begin(), fields.end(),
                    [&](field const& each) { return same_name(each.name, name); }));
}

std::optional<std::string> http_request::value_of(std::string_view name) const {
  return count(name) == 1 ? joined(name) : std::nullopt;
}

std::optional<std::string> http_request::joined(std::string_view name) const {
  std::optional<std::string> all;
  for (field const& each : fields) {
    if (!same_name(each.name, name)) continue;
    all = all ? *all + ", " + each.value : each.value;
  }
  return all;
}

std::vector<std::string> http_request::list(std::string_view name) const {
  std::vector<std::string> members;
  std::string const all = joined(name).value_or("");
  for (std::size_t at = 0; at <= all.size();) {
    std::size_t const comma = std::min(all.find(',', at), all.size());
    std::string member(trimmed(std::string_view(all).substr(at, comma - at)));
    std::transform(member.begin(), member.end(), member.begin(), lower);
    if (!member.empty()) members.push_back(std::move(member));
    at = comma + 1;
  }
  return members;
}

parsed_request parse_request(std::string_view bytes) {
  parsed_request parsed;
  std::string_view rest = bytes;
  auto const taken = [&] { return bytes.size() - rest.size(); };

  // RFC 9112 section 2.2: "a server that is expecting to receive and parse a request-line SHOULD
  // ignore at least one empty line (CRLF) received prior to the request-line."
  std::optional<std::string_view> line = next_line(rest);
  while (line && line->empty() && taken() <= max_request_head) line = next_line(rest);
  if (!line) return rest.size() > max_request_line ? refuse(http_status::uri_too_long) : parsed;
  if (auto const refused = parse_request_line(*line, parsed.request)) return refuse(*refused);

  for (;;) {
    line = next_line(rest);
    if ((line ? taken() : bytes.size()) > max_request_head) {
      return refuse(http_status::fields_too_large);
    }
    if (!line) return parsed;
    if (line->empty()) break;
    if (auto const refused = parse_field(*line, parsed.request)) return refuse(*refused);
  }

  if (!has_good_host(parsed.request)) return refuse(http_status::bad_request);
  if (auto const refused = find_content(parsed.request)) return refuse(*refused);
  parsed.request.keep_alive = wants_to_go_on(parsed.request);
  parsed.size = taken();
  parsed.what = state::complete;
  return parsed;
}

}  // namespace cotls::tool
