#include <cotls/blocking/stream.hpp>

#include <cotls/detail/support/access.hpp>
#include <cotls/detail/support/held.hpp>

#include "system/socket.hpp"

#include <sys/socket.h>

namespace cotls {

namespace blocking {

stream::stream(int descriptor, client_context const& context, client_options const& options)
    : core_(std::make_unique<core_type>(context, detail::access::inner(options))) {
  core_->give_socket(detail::owned_descriptor(descriptor));
}

stream::stream(int descriptor, server_context const& context)
    : core_(std::make_unique<core_type>(context)) {
  core_->give_socket(detail::owned_descriptor(descriptor));
}

template <class Function>
auto stream::with_engine(Function function) const {
  if (!core_) throw error(errc::not_connected);
  std::scoped_lock const lock(core_->mutex);
  return function(core_->engine());
}

void stream::give_input(asio::const_buffer received) {
  with_engine([&](auto& engine) { engine.give_input(received.data(), received.size()); });
}

void stream::set_alpn(std::vector<std::string> const& protocols, alpn_mismatch policy) {
  with_engine([&](auto& engine) { engine.set_alpn(protocols, policy); });
}

void stream::tolerate_truncation(bool value) {
  with_engine([&](auto& engine) { engine.set_truncation_is_end(value); });
}

void stream::set_read_ahead(bool value) {
  with_engine([&](auto& engine) { engine.set_read_ahead(value); });
}

std::pair<int, std::vector<std::byte>> stream::release() {
  auto unread = with_engine([](auto& engine) {
    if (!engine.is_over()) throw error(errc::not_over);
    return engine.take_back_input();
  });
  auto const last = std::move(core_);
  return {last->take_socket(), std::move(unread)};
}

void stream::handshake() {
  error_code code;
  handshake(code);
  checked(0, code, "handshake");
}

void stream::update_key(key_update asked) {
  error_code code;
  update_key(asked, code);
  checked(0, code, "key update");
}

void stream::request_certificate() {
  error_code code;
  request_certificate(code);
  checked(0, code, "requesting a certificate");
}

void stream::close_write() {
  error_code code;
  close_write(code);
  checked(0, code, "sending close_notify");
}

void stream::shutdown() {
  error_code code;
  shutdown(code);
  checked(0, code, "shutdown");
}

connection_info stream::info() const {
  return with_engine([](auto& engine) { return engine.info(); });
}

peer_info stream::peer() const {
  return with_engine([](auto& engine) { return engine.peer(); });
}

std::vector<unsigned char> stream::export_key(std::string_view label,
                                              std::optional<asio::const_buffer> context,
                                              std::size_t length) const {
  return with_engine([&](auto& engine) { return engine.export_key(label, context, length); });
}

std::vector<unsigned char> stream::channel_binding(channel_binding_kind kind) const {
  return with_engine([&](auto& engine) { return engine.channel_binding(kind); });
}

asio::ip::tcp::endpoint stream::local_endpoint() const {
  return detail::tcp_endpoint(::getsockname, detail::held(core_).descriptor(),
                              "reading the connection's address");
}

asio::ip::tcp::endpoint stream::remote_endpoint() const {
  return detail::tcp_endpoint(::getpeername, detail::held(core_).descriptor(),
                              "reading the peer's address");
}

error stream::last_error() const {
  if (!core_) return error(errc::not_connected);
  return with_engine([](auto& engine) { return engine.last_error(); });
}

error stream::failure(error_code code, char const* operation) const {
  if (!core_) return error(code);
  return with_engine([&](auto& engine) { return engine.failure_of(code, operation); });
}

}  // namespace blocking

}  // namespace cotls
