#pragma once

#include <cotls/error.hpp>
#include <cotls/want.hpp>

#include <cstddef>

namespace cotls {

/** An engine's answer to a call. */
struct step {
  cotls::want want = cotls::want::nothing;
  std::size_t bytes = 0;   ///< plaintext read into, or taken from, the caller's buffers
  /** Why the call cannot go on. After `asio::error::eof`, `errc::stream_truncated` and
      `errc::write_after_close` the other direction does; after any other the connection has failed,
      and all its calls answer with that. Output may be there, the alert for the peer. */
  error_code error;
};

}  // namespace cotls
