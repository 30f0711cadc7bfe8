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

// Where a connection keeps the choice that is its own.
int own_choice() {
  static int const index = SSL_get_ex_new_index(
      0, nullptr, nullptr, nullptr, [](void*, void* choice, CRYPTO_EX_DATA*, int, long, void*) {
        delete static_cast<alpn_choice*>(choice);
      });
  return index;
}

int on_alpn_offer(SSL* ssl, unsigned char const** out, unsigned char* out_size,
                  unsigned char const* offered, unsigned offered_size, void* ours) {
  void const* const own = SSL_get_ex_data(ssl, own_choice());
  auto const& choice = *static_cast<alpn_choice const*>(own ? own : ours);
  if (choice.wire.empty()) return SSL_TLSEXT_ERR_NOACK;
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

// Also for none: one of its connections may have a choice of its own.
void choose(SSL_CTX* servers, std::string const& wire, alpn_mismatch policy) {
  auto choice = std::make_unique<alpn_choice>(alpn_choice{wire, policy});
  alpn_choice* const given = choice.get();
  clear_openssl_errors();
  auto const replaced = owned_by_context<alpn_choice>::exchange(servers, std::move(choice));
  if (replaced.get() == given) refused();
  SSL_CTX_set_alpn_select_cb(servers, on_alpn_offer, given);
}

}  // namespace

alpn_settings::alpn_settings(std::vector<std::string> const& protocols, alpn_mismatch policy)
    : wire_(wire_format(protocols)), policy_(policy) {}

void alpn_settings::apply_to(SSL_CTX* context, role end) const {
  if (end == role::client) return offer(SSL_CTX_set_alpn_protos, context, wire_);
  choose(context, wire_, policy_);
}

// Without it OpenSSL would never ask for the choice.
void alpn_settings::choose_for(SSL* server) const {
  if (!owned_by_context<alpn_choice>::find(SSL_get_SSL_CTX(server))) {
    fail(errc::invalid_setting,
         "set_alpn, of a connection whose context is adopted or lent and has no set_alpn,");
  }
  auto choice = std::make_unique<alpn_choice>(alpn_choice{wire_, policy_});
  std::unique_ptr<alpn_choice> const replaced(
      static_cast<alpn_choice*>(SSL_get_ex_data(server, own_choice())));
  clear_openssl_errors();
  if (SSL_set_ex_data(server, own_choice(), choice.get()) != 1) refused();
  choice.release();
}

std::optional<alpn_settings> alpn_settings::chosen_for(SSL const* server) {
  auto const* const own = static_cast<alpn_choice*>(SSL_get_ex_data(server, own_choice()));
  if (!own) return std::nullopt;
  alpn_settings same;
  same.wire_ = own->wire;
  same.policy_ = own->policy;
  return same;
}

std::string_view alpn_settings::first() const noexcept {
  if (wire_.empty()) return {};
  return std::string_view(wire_).substr(1, static_cast<unsigned char>(wire_.front()));
}

std::string_view alpn_settings::find(std::string_view name) const noexcept {
  std::string_view rest = wire_;
  while (!rest.empty()) {
    std::size_t const size = static_cast<unsigned char>(rest.front());
    std::string_view const each = rest.substr(1, size);
    if (each == name) return each;
    rest.remove_prefix(1 + size);
  }
  return {};
}

void alpn_settings::apply_to(SSL* client) const { offer(SSL_set_alpn_protos, client, wire_); }

}  // namespace cotls::detail
