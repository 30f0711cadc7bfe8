#include <cotls/context.hpp>

#include "context/context_state.hpp"
#include "error/fail.hpp"
#include "identity/pem_input.hpp"
#include "settings/configuration_commands.hpp"
#include "system/appended_file.hpp"

#include <utility>

namespace cotls {

using detail::context_state;
using detail::role;
using detail::settings;

context::context(std::shared_ptr<context_state> state) noexcept : state_(std::move(state)) {}

void context::set_verify(verify mode) {
  state_->change("set_verify", [&](settings& now) { now.peer.set_verify(mode, state_->end); });
}

verify context::verify_mode() const noexcept { return state_->verify_mode(); }

bool context::sealed() const noexcept { return state_->sealed(); }

std::optional<std::chrono::system_clock::time_point> context::expires() const {
  return state_->expires();
}

boost::asio::ssl::context& context::native() const { return state_->expose(); }

ssl_ctx_st* context::native_handle() const { return state_->expose().native_handle(); }

void context::do_use(certificate_chain const& chain) {
  use_chain("use", chain, "using a certificate chain");
}

void context::do_use(private_key const& key) { use_key("use", key, "using a private key"); }

void context::do_use(identity const& both) {
  state_->change("use", [&](settings& now) {
    now.identity.use(both, state_->make_trial().get(), "using a certificate chain and its key");
  });
}

void context::do_also_use(identity const& another) {
  state_->change("also_use", [&](settings& now) {
    now.identity.add(another, state_->end, state_->make_trial().get(),
                     "using another certificate chain and its key");
  });
}

void context::do_load_certificate_chain(std::filesystem::path const& path) {
  use_chain("load_certificate_chain", certificate_chain::from_pem_file(path),
            "using the certificate chain " + path.string());
}

void context::do_load_private_key(std::filesystem::path const& path, key_options const& options) {
  use_key("load_private_key", private_key::from_file(path, options),
          "using the private key " + path.string());
}

void context::use_chain(char const* setter, certificate_chain const& chain,
                        std::string const& doing) {
  state_->change(setter, [&](settings& now) {
    now.identity.use(chain, state_->handle(), state_->make_trial().get(), doing);
  });
}

void context::use_key(char const* setter, private_key const& key, std::string const& doing) {
  state_->change(setter, [&](settings& now) {
    now.identity.use(key, state_->handle(), state_->make_trial().get(), doing);
  });
}

void context::do_load_verify_roots(std::filesystem::path const& file,
                                   std::filesystem::path const& directory) {
  state_->change("load_verify_roots", [&](settings& now) { now.trust.load(file, directory); });
}

void context::do_add_roots(std::string_view pem) {
  state_->change("add_roots", [&](settings& now) { now.trust.add(pem); });
}

void context::do_add_root(certificate const& root) {
  state_->change("add_root", [&](settings& now) { now.trust.add(root); });
}

void context::do_use_system_roots() {
  state_->change("use_system_roots", [](settings& now) { now.trust.trust_system(); });
}

void context::do_set_ciphers(std::string const& tls12, std::string const& tls13) {
  state_->change("set_ciphers", [&](settings& now) {
    now.algorithms.set_ciphers(tls12, tls13, state_->make_trial().get());
  });
}

void context::do_set_verify_depth(int most) {
  state_->change("set_verify_depth", [&](settings& now) { now.peer.set_depth(most); });
}

void context::do_set_groups(std::string const& groups) {
  state_->change("set_groups", [&](settings& now) {
    now.algorithms.set_groups(groups, state_->make_trial().get());
  });
}

void context::do_set_policy(policy named) {
  state_->change("set_policy", [&](settings& now) {
    now.algorithms.use(named, state_->make_trial().get());
  });
}

void context::do_set_versions(protocol_version lowest, protocol_version highest) {
  state_->change("set_versions",
                 [&](settings& now) { now.algorithms.set_versions({lowest, highest}); });
}

void context::do_set_signature_algorithms(std::string const& list) {
  state_->change("set_signature_algorithms", [&](settings& now) {
    now.algorithms.set_signatures(list, state_->make_trial().get());
  });
}

void context::do_set_client_signature_algorithms(std::string const& list) {
  state_->change("set_client_signature_algorithms", [&](settings& now) {
    now.algorithms.set_client_signatures(list, state_->make_trial().get());
  });
}

void context::do_set_security_level(int level) {
  state_->change("set_security_level", [&](settings& now) {
    now.algorithms.set_level(level, state_->make_trial().get());
  });
}

void context::do_set_max_certificate_list(std::size_t bytes) {
  state_->change("set_max_certificate_list",
                 [&](settings& now) { now.peer.set_max_list(bytes); });
}

void context::do_set_max_sent_record(std::size_t bytes) {
  state_->change("set_max_sent_record", [&](settings& now) { now.records.set_max_sent(bytes); });
}

void context::do_configure(std::string_view commands) {
  detail::configuration_commands const read(commands, state_->end);
  state_->change_wrapped("configure", [&](SSL_CTX* to) { read.apply_to(to); });
}

void context::do_use_system_policy(std::string const& section) {
  state_->change_wrapped("use_system_policy",
                         [&](SSL_CTX* to) { detail::apply_system_policy(to, section); });
}

void context::do_set_key_log(std::function<void(std::string_view line)> told) {
  state_->change("set_key_log", [&](settings& now) {
    now.key_log.set(detail::key_log_settings(std::move(told)));
  });
}

void context::do_set_key_log_file(std::filesystem::path const& path) {
  std::string const doing = "opening the key log " + path.string();
  state_->change("set_key_log_file", [&](settings& now) {
    auto const file = std::make_shared<detail::appended_file>(path, doing);
    now.key_log.set(detail::key_log_settings([file](std::string_view line) { file->add(line); }));
  });
}

bool context::do_set_key_log_file() {
  std::string const path = detail::trusted_variable("SSLKEYLOGFILE");
  if (!path.empty()) do_set_key_log_file(path);
  return !path.empty();
}

void context::do_set_trace(trace_type told) {
  state_->change("set_trace", [&](settings& now) {
    now.trace.set(detail::trace_settings(std::move(told)));
  });
}

void context::do_set_key_update_after(std::uint64_t bytes) {
  state_->change("set_key_update_after",
                 [&](settings& now) { now.records.set_key_update_after(bytes); });
}

void context::do_set_late_authentication(bool on) {
  state_->change("set_late_authentication", [&](settings& now) { now.peer.set_late(on); });
}

void context::do_set_revocation(revocation_options const& policy) {
  state_->change("set_revocation", [&](settings& now) { now.trust.set_revocation(policy); });
}

void context::do_set_verify_time(std::optional<std::chrono::system_clock::time_point> moment) {
  state_->change("set_verify_time", [&](settings& now) { now.peer.set_time(moment); });
}

void context::do_set_verifier(verifier_type decides) {
  state_->change("set_verifier", [&](settings& now) { now.peer.set_verifier(std::move(decides)); });
}

void context::do_on_verify(detail::hook<bool, bool, peer_info const&> decides) {
  state_->change("on_verify", [&](settings& now) { now.peer.set_on_chain(std::move(decides)); });
}

void context::do_on_established(
    detail::hook<bool, peer_info const&, connection_info const&> decides) {
  state_->change("on_established",
                 [&](settings& now) { now.peer.set_last_word(std::move(decides)); });
}

void context::do_on_certificate(
    char const* setter, detail::hook<certificate_answer, certificate_query const&> decides) {
  state_->change(setter, [&](settings& now) { now.hooks.set_on_certificate(std::move(decides)); });
}

client_context::client_context(protocol versions)
    : basic_context(std::make_shared<context_state>(role::client, versions)) {}

client_context::client_context(library_options const& from, protocol versions)
    : basic_context(std::make_shared<context_state>(role::client, versions, from)) {}

client_context::client_context(boost::asio::ssl::context&& adopted)
    : basic_context(std::make_shared<context_state>(role::client, std::move(adopted))) {}

client_context& client_context::set_alpn(std::vector<std::string> const& protocols) {
  state_->change("set_alpn", [&](settings& now) { now.alpn.set(detail::alpn_settings(protocols)); });
  return *this;
}

client_context& client_context::set_session_cache(std::size_t servers) {
  state_->change("set_session_cache", [&](settings& now) {
    if (state_->adopted) {
      detail::fail(errc::invalid_setting, "set_session_cache: the context is an adopted one");
    }
    now.sessions.set_cache(servers);
  });
  return *this;
}

client_context& client_context::on_session(session_observer_type told) {
  state_->change("on_session", [&](settings& now) {
    if (state_->adopted) {
      detail::fail(errc::invalid_setting, "on_session: the context is an adopted one");
    }
    now.sessions.set_told(std::move(told));
  });
  return *this;
}

client_context& client_context::set_session_store(session_store store) {
  state_->change("set_session_store", [&](settings& now) {
    if (state_->adopted) {
      detail::fail(errc::invalid_setting, "set_session_store: the context is an adopted one");
    }
    now.sessions.set_store(store.storage());
  });
  return *this;
}

client_context& client_context::set_pins(std::vector<key_pin> pins) {
  state_->change("set_pins", [&](settings& now) { now.peer.set_pins(std::move(pins)); });
  return *this;
}

client_context& client_context::set_max_fragment_length(std::size_t bytes) {
  state_->change("set_max_fragment_length",
                 [&](settings& now) { now.records.set_max_fragment(bytes); });
  return *this;
}

client_context& client_context::set_ocsp(ocsp wanted) {
  state_->change("set_ocsp", [&](settings& now) { now.ocsp.ask(wanted); });
  return *this;
}

server_context::server_context(protocol versions)
    : basic_context(std::make_shared<context_state>(role::server, versions)) {}

server_context::server_context(library_options const& from, protocol versions)
    : basic_context(std::make_shared<context_state>(role::server, versions, from)) {}

server_context::server_context(boost::asio::ssl::context&& adopted)
    : basic_context(std::make_shared<context_state>(role::server, std::move(adopted))) {}

server_context& server_context::set_alpn(std::vector<std::string> const& protocols,
                                         alpn_mismatch policy) {
  state_->change("set_alpn", [&](settings& now) {
    now.alpn.set(detail::alpn_settings(protocols, policy));
  });
  return *this;
}

server_context& server_context::set_session_tickets(std::size_t count) {
  state_->change("set_session_tickets", [&](settings& now) { now.sessions.set_tickets(count); });
  return *this;
}

server_context& server_context::set_ticket_keys(ticket_keys keys) {
  state_->change("set_ticket_keys",
                 [&](settings& now) { now.sessions.set_keys(std::move(keys)); });
  return *this;
}

server_context& server_context::set_session_lifetime(std::chrono::seconds time) {
  state_->change("set_session_lifetime", [&](settings& now) {
    if (state_->adopted) {
      detail::fail(errc::invalid_setting, "set_session_lifetime: the context is an adopted one");
    }
    now.sessions.set_lifetime(time);
  });
  return *this;
}

server_context& server_context::set_session_store(session_store store) {
  state_->change("set_session_store", [&](settings& now) {
    if (state_->adopted) {
      detail::fail(errc::invalid_setting, "set_session_store: the context is an adopted one");
    }
    now.sessions.set_store(store.storage());
  });
  return *this;
}

server_context& server_context::set_early_data(early_data_options how) {
  state_->change("set_early_data", [&](settings& now) {
    if (state_->adopted) {
      detail::fail(errc::invalid_setting, "set_early_data: the context is an adopted one");
    }
    now.sessions.set_early_data(std::move(how));
  });
  return *this;
}

server_context& server_context::set_small_first_records(bool on) {
  state_->change("set_small_first_records",
                 [&](settings& now) { now.records.set_small_first(on); });
  return *this;
}

server_context& server_context::set_max_client_hello(std::size_t bytes) {
  state_->change("set_max_client_hello", [&](settings& now) { now.records.set_max_hello(bytes); });
  return *this;
}

server_context& server_context::set_suite_order(suite_order whose) {
  state_->change("set_suite_order", [&](settings& now) { now.algorithms.set_order(whose); });
  return *this;
}

server_context& server_context::set_dh_auto(bool on) {
  state_->change("set_dh_auto", [&](settings& now) { now.algorithms.set_dh_auto(on); });
  return *this;
}

server_context& server_context::add_virtual_host(std::string_view name,
                                                 server_context const& host) {
  state_->change("add_virtual_host", [&](settings& now) {
    // Or contexts could be each other's hosts, and would wait for each other to be sealed.
    if (host.state_ == state_ || !host.state_->settings().hosts.empty()) {
      detail::fail(errc::invalid_setting,
                   "add_virtual_host: a host has no virtual hosts of its own");
    }
    now.hosts.add(name, host.state_);
  });
  return *this;
}

server_context& server_context::set_unknown_host(unknown_host policy) {
  state_->change("set_unknown_host", [&](settings& now) { now.hosts.set_unknown(policy); });
  return *this;
}

void server_context::do_on_client_hello(
    detail::hook<hello_answer, client_hello const&> decides) {
  state_->change("on_client_hello",
                 [&](settings& now) { now.hooks.set_on_client_hello(std::move(decides)); });
}

server_context& server_context::set_ocsp_response(std::string_view der) {
  state_->change("set_ocsp_response",
                 [&](settings& now) { now.ocsp.staple(der, "set_ocsp_response"); });
  return *this;
}

server_context& server_context::load_ocsp_response(std::filesystem::path const& file) {
  std::string const doing = "loading the OCSP response " + file.string();
  state_->change("load_ocsp_response", [&](settings& now) {
    now.ocsp.staple(detail::file_contents(file, doing).view(), doing);
  });
  return *this;
}

server_context& server_context::load_suggested_authorities(std::filesystem::path const& file) {
  state_->change("load_suggested_authorities", [&](settings& now) { now.peer.suggest(file); });
  return *this;
}

}  // namespace cotls
