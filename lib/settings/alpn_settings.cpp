#include "settings/alpn_settings.hpp"

#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/owned_by_context.hpp"

namespace cotls::detail {

namespace {

// The server's protocols and what to do without a common one.
struct alpn_choice {
  std::string wire;
  alpn_mismatch policy;
};

int on_alpn_offer(SSL*, unsigned char const** out, unsigned char* out_size,
                  unsigned char const* offered, unsigned offered_size, void* ours) {
  auto const& choice = *static_cast<alpn_choice const*>(ours);
  unsigned char* selected = nullptr;
  int const outcome = SSL_select_next_proto(
      &selected, out_size, reinterpret_cast<unsigned char const*>(choice.wire.data()),
      static_cast<unsigned>(choice.wire.size()), offered, offered_size);
  if (outcome == OPENSSL_NPN_NEGOTIATED) {
    *out = selected;
    return SSL_TLSEXT_ERR_OK;
  }
  // RFC 7301 section 3.2: "In the event that the server supports no protocols that the client
  // advertises, then the server SHALL respond with a fatal "no_application_protocol" alert."
  if (choice.policy == alpn_mismatch::refuse) return SSL_TLSEXT_ERR_ALERT_FATAL;
  return SSL_TLSEXT_ERR_NOACK;
}

std::string wire_format(std::vector<std::string> const& protocols) {
  std::string wire;
  for (std::string const& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255) {
      fail(errc::invalid_alpn_protocol, "setting the ALPN protocol \"" + protocol + '"');
    }
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  if (wire.size() > 0xffff) fail(errc::invalid_alpn_protocol, "setting the ALPN protocols");
  return wire;
}

[[noreturn]] void refused() { throw_openssl_error({}, "setting the ALPN protocols"); }

// Offers a list by SSL_CTX_set_alpn_protos or SSL_set_alpn_protos, which return 0 on success (T13).
template <class Object>
void offer(int (*set)(Object*, unsigned char const*, unsigned), Object* by,
           std::string const& wire) {
  clear_openssl_errors();
  auto const* const bytes = reinterpret_cast<unsigned char const*>(wire.data());
  if (set(by, bytes, static_cast<unsigned>(wire.size())) != 0) refused();
}

void choose(SSL_CTX* servers, std::string const& wire, alpn_mismatch policy) {
  std::unique_ptr<alpn_choice> choice;
  if (!wire.empty()) choice = std::make_unique<alpn_choice>(alpn_choice{wire, policy});
  alpn_choice* const given = choice.get();
  clear_openssl_errors();
  auto const replaced = owned_by_context<alpn_choice>::exchange(servers, std::move(choice));
  if (given && replaced.get() == given) refused();
  SSL_CTX_set_alpn_select_cb(servers, given ? on_alpn_offer : nullptr, given);
}

}  // namespace

alpn_settings::alpn_settings(std::vector<std::string> const& protocols, alpn_mismatch policy)
    : wire_(wire_format(protocols)), policy_(policy) {}

void alpn_settings::apply_to(SSL_CTX* context, role end) const {
  if (end == role::client) return offer(SSL_CTX_set_alpn_protos, context, wire_);
  choose(context, wire_, policy_);
}

void alpn_settings::apply_to(SSL* client) const { offer(SSL_set_alpn_protos, client, wire_); }

}  // namespace cotls::detail
