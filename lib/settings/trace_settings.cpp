#include "settings/trace_settings.hpp"

#include "error/words.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/owned_by_context.hpp"

#include <openssl/ssl.h>

#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace cotls::detail {

namespace {

using shared_trace_listener = std::shared_ptr<trace_settings::listener const>;
using bytes = std::span<unsigned char const>;
using traced = traced_message::kind;

constexpr std::string_view nameless = "unknown";

std::string_view record_name(int type) noexcept {
  switch (type) {
    case SSL3_RT_CHANGE_CIPHER_SPEC: return "change_cipher_spec";
    case SSL3_RT_ALERT: return "alert";
    case SSL3_RT_HANDSHAKE: return "handshake";
    case SSL3_RT_APPLICATION_DATA: return "application_data";
    default: return nameless;
  }
}

std::string_view handshake_name(int type) noexcept {
  switch (type) {
    case SSL3_MT_HELLO_REQUEST: return "hello_request";
    case SSL3_MT_CLIENT_HELLO: return "client_hello";
    case SSL3_MT_SERVER_HELLO: return "server_hello";
    case SSL3_MT_NEWSESSION_TICKET: return "new_session_ticket";
    case SSL3_MT_END_OF_EARLY_DATA: return "end_of_early_data";
    case SSL3_MT_ENCRYPTED_EXTENSIONS: return "encrypted_extensions";
    case SSL3_MT_CERTIFICATE: return "certificate";
    case SSL3_MT_SERVER_KEY_EXCHANGE: return "server_key_exchange";
    case SSL3_MT_CERTIFICATE_REQUEST: return "certificate_request";
    case SSL3_MT_SERVER_DONE: return "server_hello_done";
    case SSL3_MT_CERTIFICATE_VERIFY: return "certificate_verify";
    case SSL3_MT_CLIENT_KEY_EXCHANGE: return "client_key_exchange";
    case SSL3_MT_FINISHED: return "finished";
    case SSL3_MT_CERTIFICATE_STATUS: return "certificate_status";
    case SSL3_MT_KEY_UPDATE: return "key_update";
    default: return nameless;
  }
}

void read_alert(bytes message, traced_message& into) {
  into.fatal = message[0] == SSL3_AL_FATAL;
  into.alert = static_cast<alert>(message[1]);
  std::string_view const name = describe(*into.alert).name;
  into.name = name.empty() ? nameless : name;
}

// A record's header: its type, its version, its length.
void read_header(bytes header, traced_message& into) {
  into.what = traced::record;
  into.name = record_name(header[0]);
  into.version = static_cast<std::uint16_t>(header[1] << 8 | header[2]);
  into.length = static_cast<std::size_t>(header[3] << 8 | header[4]);
}

// Nothing of what OpenSSL tells beside, such as the type inside of a record of TLS 1.3, which the
// message behind it says again.
std::optional<traced_message> message_of(int type, bytes message) {
  traced_message said;
  said.name = nameless;
  said.length = message.size();
  switch (type) {
    case SSL3_RT_HEADER:
      if (message.size() != SSL3_RT_HEADER_LENGTH) return std::nullopt;
      read_header(message, said);
      return said;
    case SSL3_RT_HANDSHAKE:
      said.what = traced::handshake;
      if (!message.empty()) said.name = handshake_name(message[0]);
      return said;
    case SSL3_RT_ALERT:
      said.what = traced::alert;
      if (message.size() == 2) read_alert(message, said);
      return said;
    case SSL3_RT_CHANGE_CIPHER_SPEC:
      said.what = traced::change_cipher_spec;
      said.name = "change_cipher_spec";
      return said;
    case SSL3_RT_INNER_CONTENT_TYPE: return std::nullopt;
    default: said.what = traced::other; return said;
  }
}

// No exception may cross OpenSSL, and a trace that fails is no reason to end a connection.
void on_message(int sent, int version, int type, void const* data, std::size_t size, SSL* of,
                void*) noexcept {
  auto const* const told = owned_by_context<shared_trace_listener>::find(SSL_get_SSL_CTX(of));
  if (!told) return;
  try {
    auto said = message_of(type, {static_cast<unsigned char const*>(data), size});
    if (!said) return;
    using direction = traced_message::direction;
    said->by = sent == 1 ? direction::sent : direction::received;
    if (said->what != traced::record) said->version = static_cast<std::uint16_t>(version);
    (**told)(*said);
  } catch (...) {
    // Only what was said is lost.
  }
}

}  // namespace

trace_settings::trace_settings(listener told) {
  if (told) told_ = std::make_shared<listener const>(std::move(told));
}

void trace_settings::apply_to(SSL_CTX* context) const {
  auto made = told_ ? std::make_unique<shared_trace_listener>(told_) : nullptr;
  shared_trace_listener const* const given = made.get();
  clear_openssl_errors();
  auto const replaced = owned_by_context<shared_trace_listener>::exchange(context, std::move(made));
  if (given && replaced.get() == given) throw_openssl_error({}, "setting a trace");
  SSL_CTX_set_msg_callback(context, given ? on_message : nullptr);
}

}  // namespace cotls::detail
