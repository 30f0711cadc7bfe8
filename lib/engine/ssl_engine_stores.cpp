// Sessions of the program's store are fetched before OpenSSL hears of a client's hello, or says its
// own, for it asks for them where nothing can wait:
//
//   a server: the hello is here -> the numbers that it offers -> the store -> OpenSSL's callback
//   a client: begins -> the server's name -> the store -> offered
//
// Whatever the store says, the handshake goes on.

#include <cotls/detail/engine/ssl_engine.hpp>

#include "context/context_state.hpp"
#include "engine/dialogue.hpp"
#include "engine/hello_layout.hpp"
#include "engine/hello_probe.hpp"
#include "openssl/openssl_error.hpp"
#include "session/session_body.hpp"
#include "session/stored_sessions.hpp"

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <new>
#include <utility>

namespace cotls::detail {

bool ssl_engine::must_fetch_sessions() const noexcept {
  if (sessions_were_fetched_ || was_opened(phase_) || failed()) return false;
  if (!context_ || !context_->settings().sessions.store()) return false;
  if (SSL_in_before(ssl_.get()) != 1) return false;
  return is_server() || (names_server_ && port_ != 0 && !(record_ && record_->offered));
}

// Without memory, and where the store fails, there are none.
step ssl_engine::fetch_sessions() {
  try {
    if (!record_ || !record_->dialogue || !record_->dialogue->sessions) {
      std::vector<std::string> names = names_of_sessions();
      if (names.empty()) {
        sessions_were_fetched_ = true;
        return {};
      }
      auto const& store = context_->settings().sessions.store();
      talk().sessions = std::make_shared<asked_sessions>(
          [store, names = std::move(names)] { return store->take(names); });
    }
    step const asked = ask(talk().sessions, want::session);
    if (asked.error || asked.want != want::nothing) return asked;
    if (phase_ == phase::question) phase_ = is_server() ? phase::hello : phase::fresh;
    sessions_were_fetched_ = true;
    auto const answered = std::move(talk().sessions);
    found_sessions const& found = answered->value();
    if (is_server()) give_found_sessions(ssl_.get(), found);
    else offer_fetched_session(found);
  } catch (std::exception const&) {
    sessions_were_fetched_ = true;
    if (phase_ == phase::question) phase_ = is_server() ? phase::hello : phase::fresh;
  }
  return {};
}

std::vector<std::string> ssl_engine::names_of_sessions() const {
  if (!is_server()) return {stored_name()};
  hello_probe probe;
  if (probe.look(channel_->ahead()).want != want::client_hello) return {};   // OpenSSL's to refuse
  client_hello heard = probe.take_hello();
  read_layout(channel_->ahead(), heard);
  return stored_names(heard.session_id, heard.psk_identities);
}

// By a digest of all that sessions are told apart by, so that a store learns no names of servers.
std::string ssl_engine::stored_name() const {
  std::string text = session_key();
  for (unsigned char const each : origin_of_sessions().identity) {
    text += static_cast<char>(each);
  }
  std::array<unsigned char, 32> digest{};
  clear_openssl_errors();
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw_openssl_error({}, "naming a session");
  }
  return stored_name_of(digest);
}

void ssl_engine::offer_fetched_session(found_sessions const& found) {
  if (!found.empty()) failures().offered = cotls::session::from_bytes(found.front().bytes);
}

void ssl_engine::store_session(cotls::session const& newest) const {
  auto const lasting = std::chrono::duration_cast<std::chrono::seconds>(
      newest.expires() - std::chrono::system_clock::now());
  if (lasting.count() <= 0) return;
  context_->settings().sessions.store()->put(stored_name(), newest.bytes(), lasting);
}

}  // namespace cotls::detail
