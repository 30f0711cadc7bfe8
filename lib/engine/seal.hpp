#pragma once

#include <cotls/context.hpp>

namespace cotls::detail {

/** Ends the time in which a context can be changed, with what its connections need of OpenSSL.
    @par Errors as `context_state::seal` */
void seal(context_state& used);
void seal(context const& used);

}  // namespace cotls::detail
