#pragma once

#include <string>
#include <string_view>

namespace cotls::tool {

/** Returns a text that comes from a peer as it may be shown on a terminal and be put into JSON: in
    one line of UTF-8. Each byte becomes `\xNN` of a control character (of C1 too, and DEL), of a
    character that is not seen or turns the text around it, such as the marks of bidirectional text,
    and of what is not UTF-8. */
std::string printable(std::string_view text);

}  // namespace cotls::tool
