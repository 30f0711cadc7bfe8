#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cotls::tool {

/** The statuses that this server answers with (RFC 9110 section 15). */
enum class http_status : std::uint16_t {
  ok = 200,
  partial_content = 206,
  moved_permanently = 301,
  not_modified = 304,
  bad_request = 400,
  forbidden = 403,
  not_found = 404,
  method_not_allowed = 405,
  precondition_failed = 412,
  uri_too_long = 414,
  range_not_satisfiable = 416,
  too_early = 425,   // RFC 8470 section 5.2
  fields_too_large = 431,
  internal_error = 500,
  not_implemented = 501,
  unavailable = 503,
  version_not_supported = 505,
};

std::string_view reason_phrase(http_status status) noexcept;

/** Tells whether two names are the same but for the case of their letters, of ASCII. */
bool same_name(std::string_view left, std::string_view right);

/** The head of a request (RFC 9112). */
class http_request {
 public:
  struct field {
    std::string name;
    std::string value;
  };

  /** Tells how many lines a field has; names are compared without case. */
  std::size_t count(std::string_view name) const;

  /** Returns the value of a field that is no list. Nothing when it is missing, or repeated, which
      it must not be (RFC 9110 section 5.3): ask `count` where the two differ. */
  std::optional<std::string> value_of(std::string_view name) const;

  /** Returns the value of a field that is a list, whose lines are one list in their order. Nothing
      when there is none.

      RFC 9110 section 5.3: "A recipient MAY combine multiple field lines within a field section
      that have the same field name into one field line, without changing the semantics of the
      message, by appending each subsequent field line value to the initial field line value in
      order, separated by a comma (",") and optional whitespace". */
  std::optional<std::string> joined(std::string_view name) const;

  /** Returns the members of a list of tokens, in lower case. */
  std::vector<std::string> list(std::string_view name) const;

  std::string method;
  std::string target;         ///< as it came
  int minor_version = 1;      ///< of HTTP/1; what claims to be later is 1.1
  std::vector<field> fields;
  bool keep_alive = true;     ///< whether the client wants the connection to go on
  bool has_content = false;   ///< whether something follows the head
};

/** What was made of the bytes at the beginning of a connection, or behind the last request. */
struct parsed_request {
  enum class state : std::uint8_t {
    incomplete,   ///< it may become a request: bring more
    refused,      ///< it cannot: answer with `status`, and end the connection
    complete,
  };
  state what = state::incomplete;
  http_status status = http_status::bad_request;
  std::size_t size = 0;   ///< how many bytes a complete head took
  http_request request;
};

/** How long a request line and a whole head may be, and how many fields one may have. */
inline constexpr std::size_t max_request_line = 8192;
inline constexpr std::size_t max_request_head = 32768;
inline constexpr std::size_t max_request_fields = 100;

/** Parses the head of a request out of the bytes that have come so far.

    Strict where a lenient reader could be made to see another request than the one before it did
    (RFC 9112 sections 3, 5 and 6): no white space before a colon, no folded lines, no second Host
    or Content-Length. A bare LF ends a line (section 2.2), for people who type.
*/
parsed_request parse_request(std::string_view bytes);

}  // namespace cotls::tool
