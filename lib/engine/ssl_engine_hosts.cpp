// Whom a client meets: its whole hello is here before OpenSSL is asked, so that the connection can be
// made anew from another context, which the program's hook names or the host that is asked for.
// (Exchanging the context of one that has begun leaves the first one's verification, versions and
// options in place, T2.)
//
//   hello -> on_client_hello -> refused, or a context
//                  |
//                  +--> the virtual host of the name -> refused, or its context, or our own

#include <cotls/detail/engine/ssl_engine.hpp>

#include <cotls/detail/support/access.hpp>

#include "context/context_state.hpp"
#include "engine/dialogue.hpp"
#include "engine/hello_layout.hpp"
#include "engine/hello_probe.hpp"
#include "engine/seal.hpp"

#include <openssl/ssl.h>

#include <new>
#include <utility>

namespace cotls::detail {

bool ssl_engine::must_meet_hello() const noexcept {
  if (hello_was_met_ || was_opened(phase_) || !context_) return false;
  settings const& known = context_->settings();
  return !known.hosts.empty() || known.hooks.on_client_hello();
}

// A read or write that comes before the handshake must not lead OpenSSL past the choice.
step ssl_engine::begin_with_hello() {
  if (!must_prepare()) return {};
  expect_no_early_data();
  return handshake();
}

bool ssl_engine::must_prepare() const noexcept {
  if (has_early_data()) return true;
  return !was_opened(phase_) && (must_meet_hello() || must_fetch_sessions());
}

// What a server must have before OpenSSL hears of its client.
step ssl_engine::hear_hello() {
  switch (await_hello()) {
    case hello_arrival::awaited: return needs_input(channel_->lack());
    case hello_arrival::too_long: return refuse_hello();
    case hello_arrival::here: break;
  }
  return prepare();
}

// A server speaks second. Asked before its client has spoken, OpenSSL would make its buffers for a
// client that may stay silent: 45 kB. What a BIO beneath ours waits for it must see itself.
hello_arrival ssl_engine::await_hello() {
  bool const first = is_server() && has_not_begun(phase_) && SSL_in_before(ssl_.get()) == 1;
  if (!first || BIO_next(SSL_get_rbio(ssl_.get()))) return hello_arrival::here;
  phase_ = phase::hello;
  for (;;) {
    hello_arrival const arrival = look_for_hello(channel_->ahead(), max_hello());
    if (arrival != hello_arrival::awaited || !channel_->look_ahead()) return arrival;
  }
}

// With the alert that OpenSSL sends to those who go beyond its own limit.
step ssl_engine::refuse_hello() {
  auto const said = plaintext_alert(alert::illegal_parameter);
  channel_->send(said.data(), said.size());
  return fail(errc::client_hello_too_long, status::ssl);
}

// All that comes before OpenSSL's part.
step ssl_engine::prepare() {
  if (must_meet_hello()) {
    if (step const met = meet_hello(); met.error || met.want != want::nothing) return met;
  }
  return must_fetch_sessions() ? fetch_sessions() : step{};
}

// The program's hook is asked once, before OpenSSL is: not again after a HelloRetryRequest (T4).
step ssl_engine::meet_hello() {
  try {
    bool const is_asked = record_ && record_->dialogue && record_->dialogue->hello;
    if (!is_asked) {
      hello_probe probe;
      bool const is_hello = probe.look(channel_->ahead()).want == want::client_hello;
      auto const& by = context_->settings().hooks.on_client_hello();
      if (!is_hello || !by) hello_was_met_ = true;
      if (!is_hello) return {};   // OpenSSL's to refuse
      client_hello heard = probe.take_hello();
      if (!by) return choose_host(heard.server_name);
      read_layout(channel_->ahead(), heard);
      heard.address = channel_->peer_address();
      talk().host = heard.server_name;
      talk().hello = question_for(by, std::move(heard));
    }
    step const asked = ask(talk().hello, want::client_hello);
    if (asked.error || asked.want != want::nothing) return asked;
    hello_was_met_ = true;
    phase_ = phase::hello;
    return serve_as_asked();
  } catch (error const& failed) {
    return refuse_client(alert::internal_error, failed.code());
  } catch (std::bad_alloc const&) {
    return refuse_client(alert::internal_error,
                         make_error_code(boost::system::errc::not_enough_memory));
  }
}

step ssl_engine::serve_as_asked() {
  hello_answer said;
  try {
    said = talk().hello->value();
  } catch (...) {
    step const failed = refuse_client(alert::internal_error, errc::hook_failed);
    failures().fatal.remark = text_of(std::current_exception());
    return failed;
  }
  if (said.refused()) return refuse_client(*said.refused(), errc::peer_not_allowed);
  std::shared_ptr<context_state> const& by = access::state(said);
  if (!by) return choose_host(talk().host);
  if (by != context_) {
    seal(*by);
    serve_by(by);
  }
  return {};
}

step ssl_engine::choose_host(std::string const& name) {
  host_settings const& hosts = context_->settings().hosts;
  if (auto host = hosts.find(name)) {
    serve_by(std::move(host));
    return {};
  }
  bool const served = hosts.empty() || hosts.unknown() == unknown_host::serve ||
                      (name.empty() && SSL_get_certificate(ssl_.get()));
  // RFC 6066 section 3: "it is RECOMMENDED to ... terminate the handshake by sending a fatal-level
  // unrecognized_name(112) alert".
  return served ? step{} : refuse_client(alert::unrecognized_name, errc::unserved_host);
}

// Before OpenSSL has answered, there are no keys.
step ssl_engine::refuse_client(alert why, error_code reason) {
  auto const said = plaintext_alert(why);
  channel_->send(said.data(), said.size());
  return fail(reason, status::ssl);
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
  hold_tickets();
  begin_new_key();
  set_read_ahead(reads_ahead);
  if (own_mode) set_verify_mode(mode);
  if (own_depth) set_verify_depth(depth);
  if (verifier_) set_verifier(std::move(*verifier_));
}

}  // namespace cotls::detail
