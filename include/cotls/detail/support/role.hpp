#pragma once

#include <cstdint>

namespace cotls::detail {

/// Which end of the connection something is, or is for.
enum class role : std::uint8_t { client, server };

}  // namespace cotls::detail
