#pragma once

#include <cotls/error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cotls {

/** What one end has said to the other: of what kind, and how much. What it holds is not in it, but
    for alerts. */
struct traced_message {
  enum class direction : std::uint8_t { received, sent };

  enum class kind : std::uint8_t {
    record,               ///< What the others are carried in, encrypted or not.
    handshake,            ///< A message of a handshake, of tickets, of key updates.
    alert,                ///< The end, or why it comes.
    change_cipher_spec,   ///< The end of plaintext before TLS 1.3, later of no meaning.
    other,                ///< Of a type that has no name here.
  };

  direction by{};
  kind what{};
  /** As it is registered: `"client_hello"`, `"bad_certificate"`; of a record, its type as it can be
      seen on the way: `"application_data"` for all that TLS 1.3 encrypts. `"unknown"` without
      one. Its text is a literal. */
  std::string_view name;
  /** In bytes, without a record's header; of a message with its own header of 4. */
  std::size_t length = 0;
  /** 0x0304 is TLS 1.3; of a record what its header says, which is TLS 1.2 at the most. */
  std::uint16_t version = 0;
  std::optional<cotls::alert> alert;   ///< Of an alert.
  bool fatal = false;                  ///< Of an alert: its level. In TLS 1.3 it says nothing.
};

}  // namespace cotls
