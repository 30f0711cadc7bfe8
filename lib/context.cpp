#include <cotls/context.hpp>

#include "context_state.hpp"

namespace cotls {

using detail::context_state;
using detail::role;

context::context(std::shared_ptr<context_state> state) noexcept : state_(std::move(state)) {}

void context::set_verify(verify mode) {
  state_->check_mutable("set_verify");
  state_->set_verify(mode);
}

verify context::verify_mode() const noexcept { return state_->verify_mode(); }

bool context::sealed() const noexcept { return state_->sealed(); }

boost::asio::ssl::context& context::native() const { return state_->lend(); }

ssl_ctx_st* context::native_handle() const { return state_->lend().native_handle(); }

void context::do_use(certificate_chain const& chain) {
  state_->check_mutable("use");
  state_->use(chain, "using a certificate chain");
}

void context::do_use(private_key const& key) {
  state_->check_mutable("use");
  state_->use(key, "using a private key");
}

void context::do_use(identity const& both) {
  state_->check_mutable("use");
  state_->use(both);
}

void context::do_load_certificate_chain(std::filesystem::path const& path) {
  state_->check_mutable("load_certificate_chain");
  state_->use(certificate_chain::from_pem_file(path),
              "using the certificate chain " + path.string());
}

void context::do_load_private_key(std::filesystem::path const& path, key_options const& options) {
  state_->check_mutable("load_private_key");
  state_->use(private_key::from_file(path, options), "using the private key " + path.string());
}

void context::do_load_verify_roots(std::filesystem::path const& file,
                                   std::filesystem::path const& directory) {
  state_->check_mutable("load_verify_roots");
  state_->load_roots(file, directory);
}

void context::do_add_roots(std::string_view pem) {
  state_->check_mutable("add_roots");
  state_->add_roots(pem);
}

void context::do_add_root(certificate const& root) {
  state_->check_mutable("add_root");
  state_->add_root(root);
}

void context::do_use_system_roots() {
  state_->check_mutable("use_system_roots");
  state_->use_system_roots();
}

void context::do_set_ciphers(std::string const& tls12, std::string const& tls13) {
  state_->check_mutable("set_ciphers");
  state_->set_ciphers(tls12, tls13);
}

void context::do_set_groups(std::string const& groups) {
  state_->check_mutable("set_groups");
  state_->set_groups(groups);
}

client_context::client_context(protocol versions)
    : basic_context(std::make_shared<context_state>(role::client, versions)) {}

client_context::client_context(boost::asio::ssl::context&& adopted)
    : basic_context(std::make_shared<context_state>(role::client, std::move(adopted))) {}

client_context& client_context::set_alpn(std::vector<std::string> const& protocols) {
  state_->check_mutable("set_alpn");
  state_->offer_alpn(protocols);
  return *this;
}

client_context& client_context::set_session_cache(std::size_t servers) {
  state_->check_mutable("set_session_cache");
  state_->set_session_cache(servers);
  return *this;
}

server_context::server_context(protocol versions)
    : basic_context(std::make_shared<context_state>(role::server, versions)) {}

server_context::server_context(boost::asio::ssl::context&& adopted)
    : basic_context(std::make_shared<context_state>(role::server, std::move(adopted))) {}

server_context& server_context::set_alpn(std::vector<std::string> const& protocols,
                                         alpn_mismatch policy) {
  state_->check_mutable("set_alpn");
  state_->select_alpn(protocols, policy);
  return *this;
}

server_context& server_context::set_session_tickets(std::size_t count) {
  state_->check_mutable("set_session_tickets");
  state_->set_session_tickets(count);
  return *this;
}

server_context& server_context::set_small_first_records(bool on) {
  state_->check_mutable("set_small_first_records");
  state_->set_small_first_records(on);
  return *this;
}

server_context& server_context::set_max_client_hello(std::size_t bytes) {
  state_->check_mutable("set_max_client_hello");
  state_->set_max_hello(bytes);
  return *this;
}

server_context& server_context::load_suggested_authorities(std::filesystem::path const& file) {
  state_->check_mutable("load_suggested_authorities");
  state_->load_suggested_authorities(file);
  return *this;
}

}  // namespace cotls
