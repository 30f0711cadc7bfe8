#pragma once

#include "link.hpp"
#include "plan.hpp"
#include "script.hpp"

namespace cotls::test {

/** True when the operation's documentation names the error. */
bool is_documented(operation what, error_code const& code);

/** True when what befell the connection accounts for an end's failure.
    @param other_failed  Whether the other end failed, and dropped its transport. */
bool is_explained(plan const& how, end which, lane::failure const& failure, bool other_failed);

char const* name(operation what);

}  // namespace cotls::test
