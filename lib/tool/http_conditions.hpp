#pragma once

#include "http_request.hpp"

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace cotls::tool {

/** What a file is known by: its validators (RFC 9110 section 8.8) and its size. */
struct file_version {
  std::string tag;      ///< an entity tag, with its quotes
  std::time_t changed = 0;
  std::uint64_t size = 0;
};

/** A part of a file. */
struct byte_range {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};

/** Returns what a request's conditions answer it with (RFC 9110 section 13.2.2), 304 or 412;
    nothing when they let it through. */
std::optional<http_status> judge_conditions(http_request const& request, file_version const& file);

/** What a Range field asks for. */
struct range_request {
  enum class kind : std::uint8_t { whole, part, unsatisfiable };
  kind what = kind::whole;
  byte_range part;
};

/** Reads a request's Range and If-Range (RFC 9110 sections 14.2 and 13.1.5). What is no range of
    bytes, more than one, or of another version of the file, asks for the whole. */
range_request find_range(http_request const& request, file_version const& file);

}  // namespace cotls::tool
