// Virtual hosts: the whole hello of a client is here before OpenSSL is asked, so that the connection
// can be made anew from the context of the host that it asks for. (Exchanging the context of one that
// has begun leaves the first one's verification, versions and options in place, T2.)

#include <cotls/detail/engine/ssl_engine.hpp>

#include "context/context_state.hpp"
#include "engine/hello_probe.hpp"

#include <openssl/ssl.h>

#include <new>
#include <utility>

namespace cotls::detail {

bool ssl_engine::must_choose_host() const noexcept {
  return has_not_begun(phase_) && context_ && !context_->settings().hosts.empty();
}

// A read or write that comes before the handshake must not lead OpenSSL past the choice.
step ssl_engine::begin_with_host() { return must_choose_host() ? handshake() : step{}; }

step ssl_engine::choose_host() {
  try {
    hello_probe probe;
    // What is no hello is OpenSSL's to refuse.
    if (probe.look(channel_->ahead()).want != want::client_hello) return {};
    std::string const name = probe.take_hello().server_name;
    host_settings const& hosts = context_->settings().hosts;
    if (auto host = hosts.find(name)) {
      serve_by(std::move(host));
      return {};
    }
    bool const served = hosts.unknown() == unknown_host::serve ||
                        (name.empty() && SSL_get_certificate(ssl_.get()));
    return served ? step{} : refuse_host();
  } catch (error const& failed) {
    return fail(failed.code(), failed.status());
  } catch (std::bad_alloc const&) {
    return fail(make_error_code(boost::system::errc::not_enough_memory), status::unclassified);
  }
}

// RFC 6066 section 3: "it is RECOMMENDED to ... terminate the handshake by sending a fatal-level
// unrecognized_name(112) alert".
step ssl_engine::refuse_host() {
  auto const said = plaintext_alert(alert::unrecognized_name);
  channel_->send(said.data(), said.size());
  return fail(errc::unserved_host, status::ssl);
}

// What was asked of this connection by calls of its own stays; the rest is the host's.
void ssl_engine::serve_by(std::shared_ptr<context_state> host) {
  SSL_CTX* const before = SSL_get_SSL_CTX(ssl_.get());
  int const mode = SSL_get_verify_mode(ssl_.get());
  int const depth = SSL_get_verify_depth(ssl_.get());
  bool const own_mode = mode != SSL_CTX_get_verify_mode(before);
  bool const own_depth = depth != SSL_CTX_get_verify_depth(before);
  bool const reads_ahead = SSL_get_read_ahead(ssl_.get()) == 1;
  auto const own_alpn = alpn_settings::chosen_for(ssl_.get());
  ssl_st* const made = make_ssl(host->handle());
  context_ = std::move(host);
  take(made);
  if (own_alpn) own_alpn->choose_for(made);
  set_role(role::server);
  shape_records();
  begin_new_key();
  set_read_ahead(reads_ahead);
  if (own_mode) set_verify_mode(mode);
  if (own_depth) set_verify_depth(depth);
  if (verifier_) set_verifier(std::move(*verifier_));
}

}  // namespace cotls::detail
