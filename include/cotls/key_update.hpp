#pragma once

#include <cstdint>

namespace cotls {

/** What a key update asks of the peer (RFC 8446 section 4.6.3), by its value on the wire. */
enum class key_update : std::uint8_t {
  not_requested = 0,   ///< Nothing: the sender alone changes its key.
  requested = 1,       ///< To change its own key, too, before it sends more data.
};

}  // namespace cotls
