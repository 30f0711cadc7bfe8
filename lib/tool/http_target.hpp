#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cotls::tool {

/** Returns the path that a request's target names: decoded, without `.`, `..` and empty segments.
    It begins with a slash, and ends with one when the target's path ends with `/`, `.` or `..`.

    @param target  An origin-form or absolute-form (RFC 9112 section 3.2); its query is left out.
    @return Nothing for a target that is malformed, holds a NUL, or climbs above the root.
*/
std::optional<std::string> decode_target(std::string_view target);

/** Returns a path as it is written in a URI: all but unreserved characters and slashes encoded. */
std::string encode_path(std::string_view path);

/** Says whether a segment of the path begins with a dot: what its owner hides is not served, but
    for `/.well-known/` (RFC 8615). */
bool is_hidden(std::string_view path);

/** Returns the media type for the extension of a file's name. */
std::string_view media_type(std::string_view path);

}  // namespace cotls::tool
