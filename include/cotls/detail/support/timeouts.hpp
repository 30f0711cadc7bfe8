#pragma once

#include <chrono>

namespace cotls::detail {

/** What a peer is given where nobody says otherwise. */
inline constexpr std::chrono::seconds usual_handshake_timeout(10);
inline constexpr std::chrono::seconds usual_shutdown_timeout(2);

}  // namespace cotls::detail
