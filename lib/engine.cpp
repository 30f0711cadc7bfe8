#include <cotls/engine.hpp>

#include <array>

namespace cotls {

struct engine::body {
  template <class Context, class... Options>
  explicit body(Context const& context, Options const&... options)
      : ssl(context, ciphertext, options...) {}

  detail::memory_channel ciphertext;
  detail::ssl_engine ssl;
};

void engine::body_deleter::operator()(body* object) const noexcept { delete object; }

engine::engine(client_context const& context, client_options const& options)
    : body_(new body(context, options.inner())) {}

engine::engine(server_context const& context) : body_(new body(context)) {}

step engine::handshake() { return body_->ssl.handshake(); }

step engine::read(asio::mutable_buffer into) {
  std::array const one{into};
  return body_->ssl.read(one);
}

step engine::write(asio::const_buffer from) {
  std::array const one{from};
  return body_->ssl.write(one);
}

step engine::close_write() { return body_->ssl.close_write(); }

step engine::shutdown() { return body_->ssl.shutdown(); }

void engine::input(asio::const_buffer ciphertext) {
  body_->ciphertext.keep_input();   // in the order in which it came
  body_->ciphertext.give(ciphertext.data(), ciphertext.size());
}

void engine::lend_input(asio::const_buffer ciphertext) {
  body_->ciphertext.keep_input();
  body_->ciphertext.lend_input(ciphertext.data(), ciphertext.size());
}

void engine::end_input() { body_->ciphertext.set_ended(); }

std::size_t engine::unread() const noexcept { return body_->ciphertext.unread(); }

asio::const_buffer engine::output() { return body_->ciphertext.sending(); }

void engine::consume_output(std::size_t bytes) { body_->ciphertext.sent(bytes); }

connection_info engine::info() const { return body_->ssl.info(); }

peer_info engine::peer() const { return body_->ssl.peer(); }

error engine::last_error() const { return body_->ssl.last_error(); }

ssl_st* engine::native_handle() const noexcept { return body_->ssl.native_handle(); }

}  // namespace cotls
