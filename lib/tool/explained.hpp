#pragma once

#include <cotls/error.hpp>

#include <string>

namespace cotls::tool {

/** Says what failed, as `error::what()` does, but with the command's remedies: where the library's
    name a function or a type of its own, these name the option. */
std::string explained(error const& failed);

/** The same without what was tried, for where that is known. */
std::string reason_of(error const& failed);

}  // namespace cotls::tool
