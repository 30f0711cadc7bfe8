#include <cotls/engine.hpp>

#include <cotls/detail/bio_channel.hpp>

#include <array>
#include <optional>
#include <utility>

namespace cotls {

struct engine::body {
  template <class Context, class... Options>
  explicit body(Context const& context, Options const&... options)
      : ssl(context, ciphertext, options...) {}

  template <class Context, class... Options>
  body(detail::owned_bio transport, Context const& context, Options const&... options)
      : adopted(std::in_place, std::move(transport)), ssl(context, *adopted, options...) {}

  detail::channel& channel() noexcept {
    if (adopted) return *adopted;
    return ciphertext;
  }

  step noted(char const* operation, step done) {
    if (done.error) ssl.note_failure(done.error, operation);
    return done;
  }

  detail::memory_channel ciphertext;
  std::optional<detail::bio_channel> adopted;
  detail::ssl_engine ssl;
};

void engine::body_deleter::operator()(body* object) const noexcept { delete object; }

engine::engine(client_context const& context, client_options const& options)
    : body_(new body(context, options.inner())) {}

engine::engine(server_context const& context) : body_(new body(context)) {}

engine::engine(client_context const& context, client_options const& options, bio_st* transport)
    : body_(new body(detail::owned_bio(transport), context, options.inner())) {}

engine::engine(server_context const& context, bio_st* transport)
    : body_(new body(detail::owned_bio(transport), context)) {}

step engine::handshake() { return body_->noted("handshake", body_->ssl.handshake()); }

step engine::read(asio::mutable_buffer into) {
  std::array const one{into};
  return body_->noted("read", body_->ssl.read(one));
}

step engine::write(asio::const_buffer from) {
  std::array const one{from};
  return body_->noted("write", body_->ssl.write(one));
}

step engine::close_write() {
  return body_->noted("sending close_notify", body_->ssl.close_write());
}

step engine::shutdown() { return body_->noted("shutdown", body_->ssl.shutdown()); }

void engine::input(asio::const_buffer ciphertext) {
  body_->ciphertext.keep_input();   // in the order in which it came
  body_->channel().give(ciphertext.data(), ciphertext.size());
}

void engine::lend_input(asio::const_buffer ciphertext) {
  if (body_->adopted) return input(ciphertext);
  body_->ciphertext.keep_input();
  body_->ciphertext.lend_input(ciphertext.data(), ciphertext.size());
}

void engine::end_input() { body_->channel().set_ended(); }

std::size_t engine::unread() const noexcept {
  return body_->adopted ? body_->adopted->given() : body_->ciphertext.unread();
}

asio::const_buffer engine::output() { return body_->ciphertext.sending(); }

void engine::consume_output(std::size_t bytes) { body_->ciphertext.sent(bytes); }

connection_info engine::info() const { return body_->ssl.info(); }

peer_info engine::peer() const { return body_->ssl.peer(); }

error engine::last_error() const { return body_->ssl.last_error(); }

ssl_st* engine::native_handle() const noexcept { return body_->ssl.native_handle(); }

}  // namespace cotls
