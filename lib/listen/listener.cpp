#include <cotls/listener.hpp>

#include "error/fail.hpp"
#include "listen/listener_state.hpp"

#include <cotls/detail/support/held.hpp>

#include <boost/asio/ip/v6_only.hpp>

#include <sstream>
#include <string>

namespace cotls {

namespace {

using detail::fail;
using tcp = asio::ip::tcp;

error_code set_options(tcp::acceptor& acceptor, tcp::endpoint const& endpoint,
                       listener_options const& options) {
  using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
  error_code failed;
  acceptor.set_option(asio::socket_base::reuse_address(options.reuse_address()), failed);
  if (!failed && options.reuse_port()) acceptor.set_option(reuse_port(true), failed);
  if (!failed && options.v6_only() && endpoint.protocol() == tcp::v6()) {
    acceptor.set_option(asio::ip::v6_only(*options.v6_only()), failed);
  }
  return failed;
}

error_code set_options(asio::local::stream_protocol::acceptor&,
                       asio::local::stream_protocol::endpoint const&, listener_options const&) {
  return {};   // there are none for them
}

template <class Acceptor, class Endpoint>
error_code listen(Acceptor& acceptor, Endpoint const& endpoint, listener_options const& options) {
  error_code failed;
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) failed = set_options(acceptor, endpoint, options);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(options.backlog(), failed);
  return failed;
}

template <class Protocol>
typename Protocol::acceptor listening(asio::any_io_executor executor,
                                      typename Protocol::endpoint const& endpoint,
                                      listener_options const& options) {
  typename Protocol::acceptor acceptor(std::move(executor));
  if (error_code const failed = listen(acceptor, endpoint, options)) {
    std::ostringstream doing;
    doing << "listening on " << endpoint;
    fail(failed, doing.str());
  }
  return acceptor;
}

tcp::acceptor listening_at(asio::any_io_executor const& executor, std::string_view host, int port,
                           listener_options options) {
  std::string const where = detail::host_and_port(host.empty() ? "*" : host, port);
  std::string const doing = "listening on " + where;
  if (port < 0 || port > 0xffff) fail(errc::invalid_port, doing);
  std::vector<tcp::endpoint> addresses;
  error_code failed;
  if (host.empty()) {
    auto const number = static_cast<std::uint16_t>(port);
    addresses = {{tcp::v6(), number}, {tcp::v4(), number}};
    if (!options.v6_only()) options.v6_only(false);   // whatever the system's default
  } else {
    auto const flags = tcp::resolver::passive | tcp::resolver::numeric_service;
    auto const found =
        tcp::resolver(executor).resolve(host, std::to_string(port), flags, failed);
    if (failed) fail(failed, "looking up " + std::string(host));
    addresses.assign(found.begin(), found.end());
  }
  for (tcp::endpoint const& address : addresses) {
    tcp::acceptor acceptor(executor);
    failed = listen(acceptor, address, options);
    if (!failed) return acceptor;
  }
  fail(failed, doing);
}

}  // namespace

template <class Protocol>
basic_listener<Protocol>::basic_listener(asio::any_io_executor executor,
                                         endpoint_type const& endpoint,
                                         server_context const& context,
                                         listener_options const& options)
    : basic_listener(listening<Protocol>(std::move(executor), endpoint, options), context,
                     options) {}

template <class Protocol>
basic_listener<Protocol>::basic_listener(asio::any_io_executor executor, std::string_view host,
                                         int port, server_context const& context,
                                         listener_options const& options)
  requires std::same_as<Protocol, asio::ip::tcp>
    : basic_listener(listening_at(executor, host, port, options), context, options) {}

template <class Protocol>
basic_listener<Protocol>::basic_listener(acceptor_type&& acceptor, server_context const& context,
                                         listener_options const& options)
    : state_(std::make_shared<state_type>(std::move(acceptor), context, options)) {}

template <class Protocol>
basic_listener<Protocol>::basic_listener(basic_listener&&) noexcept = default;

template <class Protocol>
basic_listener<Protocol>& basic_listener<Protocol>::operator=(basic_listener&& other) noexcept {
  if (this != &other) {
    if (state_) state_->close();
    state_ = std::move(other.state_);
  }
  return *this;
}

template <class Protocol>
basic_listener<Protocol>::~basic_listener() {
  if (state_) state_->close();
}

template <class Protocol>
auto basic_listener<Protocol>::get_executor() const -> executor_type {
  return detail::held(state_).executor();
}

template <class Protocol>
auto basic_listener<Protocol>::local_endpoint() const -> endpoint_type {
  return detail::held(state_).local_endpoint();
}

template <class Protocol>
int basic_listener<Protocol>::native_handle() const {
  return detail::held(state_).native_handle();
}

template <class Protocol>
server_context basic_listener<Protocol>::context() const {
  return detail::held(state_).context();
}

template <class Protocol>
bool basic_listener<Protocol>::accept_ready() {
  return detail::held(state_).ready();
}

template <class Protocol>
void basic_listener<Protocol>::replace_context(server_context const& context) {
  detail::held(state_).replace(context);
}

template <class Protocol>
void basic_listener<Protocol>::reload_when_changed(std::vector<std::filesystem::path> files,
                                                   std::function<server_context()> make,
                                                   reload_options const& options) {
  auto use = [weak = std::weak_ptr(state_)](server_context const& next,
                                            detail::reloader const& by) {
    if (auto const state = weak.lock()) state->replace(next, by);
  };
  auto const made = std::make_shared<detail::reloader>(get_executor(), std::move(files),
                                                       std::move(make), options, std::move(use));
  state_->watch(made, made->load());
}

template <class Protocol>
void basic_listener<Protocol>::close() {
  if (state_) state_->close();
}

template <class Protocol>
void basic_listener<Protocol>::await_stream(state_type& state,
                                            detail::add_to<stream_waiters> const& add,
                                            slot_type slot) {
  state.await_stream(add, slot);
}

template <class Protocol>
void basic_listener<Protocol>::await_incoming(state_type& state,
                                              detail::add_to<incoming_waiters> const& add,
                                              slot_type slot) {
  state.await_incoming(add, slot);
}

template <class Protocol>
void basic_listener<Protocol>::await_ready(state_type& state,
                                           detail::add_to<event_waiters> const& add,
                                           slot_type slot) {
  state.await_ready(add, slot);
}

template <class Protocol>
void basic_listener<Protocol>::await_stop(state_type& state,
                                          detail::add_to<event_waiters> const& add,
                                          slot_type slot,
                                          std::chrono::steady_clock::duration limit) {
  state.stop(add, slot, limit);
}

template class basic_listener<asio::ip::tcp>;
template class basic_listener<asio::local::stream_protocol>;

}  // namespace cotls
