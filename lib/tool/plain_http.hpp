#pragma once

#include <cotls/context.hpp>

namespace cotls::tool {

/** Answers clients that speak plain HTTP to a server of this context with a 400 in plain text, as
    nginx does: they would see nothing but the connection's end. Their handshakes fail as before.
    @param context  Not sealed yet. */
void answer_plain_http(server_context const& context);

}  // namespace cotls::tool
