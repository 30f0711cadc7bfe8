#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

namespace cotls {

struct connection_info;
class peer_info;

/** What became of the data that a client sends, or was to send, with its hello: before the server has
    answered, so that whoever has recorded it can send it again (RFC 8446 section 8). */
enum class early_data : std::uint8_t {
  none,      ///< There was none; or a client that was to send it so or not at all had no session.
  accepted,  ///< The server takes it.
  rejected,  ///< The server does not: nobody has read any of it.
  sent_late, ///< The client has sent it behind the handshake, where it cannot be replayed.
};

/** What a client does with early data that the server does not take. */
enum class unaccepted : std::uint8_t {
  /** It is sent behind the handshake, as long as both ends have agreed on the protocol that it is
      of: that of the session, or, where there is none, the first that is offered. */
  send_late,
  drop,   ///< Nothing: what to do is for the program to say.
};

/** How a server takes early data (`server_context::set_early_data`). */
class early_data_options {
 public:
  using rule_type = std::function<bool(peer_info const& client, connection_info const& offered)>;

  early_data_options() {}

  /** Takes no more of it from a client than this, in bytes: from 1 to 16,384, which is the default.
      A client that sends more ends its connection. (`SSL_CTX_set_max_early_data`) */
  early_data_options& max(std::size_t bytes) { max_ = bytes; return *this; }

  /** Decides whether a client's early data is taken: by who it was when its session was made, and
      was verified again now, and by what was agreed on, the protocol and the name it has asked for
      among it. Must answer at once: where that takes longer, `on_client_hello` comes before. What it
      throws is a refusal. Whoever is refused goes on with an ordinary handshake.
      (`SSL_CTX_set_allow_early_data_cb`) */
  early_data_options& accept_if(rule_type rule) { rule_ = std::move(rule); return *this; }

  std::size_t max() const noexcept { return max_; }
  rule_type const& rule() const noexcept { return rule_; }

 private:
  std::size_t max_ = 16'384;
  rule_type rule_;
};

}  // namespace cotls
