#pragma once

#include <cstdint>

namespace cotls {

/** Whose order of cipher suites a server goes by when both have several. */
enum class suite_order : std::uint8_t {
  /** The server's, but for a client that has ChaCha20-Poly1305 at the top, as those without AES in
      hardware do: it gets that. */
  server_but_chacha,
  server,   ///< The server's, whatever the client prefers.
  client,   ///< The client's.
};

}  // namespace cotls
