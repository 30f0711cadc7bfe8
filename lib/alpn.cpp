#include "alpn.hpp"

#include "fail.hpp"
#include "openssl_error.hpp"
#include "owned_by_context.hpp"

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

}  // namespace

std::string alpn_wire_format(std::vector<std::string> const& protocols) {
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

void select_alpn(SSL_CTX* servers, std::vector<std::string> const& protocols,
                 alpn_mismatch policy) {
  std::unique_ptr<alpn_choice> choice;
  if (!protocols.empty()) {
    choice = std::make_unique<alpn_choice>(alpn_choice{alpn_wire_format(protocols), policy});
  }
  alpn_choice* const given = choice.get();
  clear_openssl_errors();
  auto const replaced = owned_by_context<alpn_choice>::exchange(servers, std::move(choice));
  if (given && replaced.get() == given) throw_openssl_error({}, "setting the ALPN protocols");
  SSL_CTX_set_alpn_select_cb(servers, given ? on_alpn_offer : nullptr, given);
}

}  // namespace cotls::detail
