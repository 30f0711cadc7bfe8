#pragma once

#include <cotls/error.hpp>

#include <cstddef>
#include <cstdint>

namespace cotls {

/** What the caller of an engine must do before the call can go on. */
enum class want : std::uint8_t {
  nothing,        ///< Nothing: the call is done.
  input,          ///< Give ciphertext from the peer, then call again.
  output,         ///< Take ciphertext for the peer, then call again.
  client_hello,   ///< Run the client hello hook, then call again.
  certificate,    ///< Run the certificate hook, then call again.
  verification,   ///< Run the verification hook, then call again.
};

/** An engine's answer to a call. */
struct step {
  cotls::want want = cotls::want::nothing;
  std::size_t bytes = 0;   ///< plaintext read into, or taken from, the caller's buffers
  error_code error;        ///< why the call cannot go on; the object may only be read from or freed
};

}  // namespace cotls
