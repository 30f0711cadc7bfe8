#pragma once

#include <cotls/error.hpp>

#include <string>

namespace cotls::detail {

/** Throws the exception for something that has failed.
    @param doing  What it was: "looking up example.org". */
[[noreturn]] void fail(error_code code, std::string doing);

}  // namespace cotls::detail
