#pragma once

#include <string>
#include <string_view>

namespace cotls::tool {

/** Returns a text that comes from a peer as it may be shown on a terminal and be put into JSON: in
    one line of UTF-8. Control characters (those of C1 too, and DEL) and bytes that are not UTF-8
    become `\xNN`. */
std::string printable(std::string_view text);

}  // namespace cotls::tool
