#include <cotls/engine.hpp>

#include <cotls/detail/channel/bio_channel.hpp>
#include <cotls/detail/support/access.hpp>
#include <cotls/detail/support/held.hpp>

#include "engine/dialogue.hpp"

#include <boost/asio/error.hpp>

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

  // The question that waits for an answer, and whose work nobody was given.
  std::shared_ptr<detail::question> open_question() const {
    std::shared_ptr<detail::question> asked = ssl.asked();
    bool const is_open = asked && asked->how_far() == detail::progress::waiting;
    if (!is_open) throw error(errc::nothing_asked);
    return asked;
  }

  template <class Question, class Answer>
  void answer(Answer const& said) {
    auto* const asked = dynamic_cast<Question*>(open_question().get());
    if (!asked || !asked->give(said)) throw error(errc::nothing_asked);
  }

  std::weak_ptr<detail::question> given_out;
  detail::memory_channel ciphertext;
  std::optional<detail::bio_channel> adopted;
  detail::ssl_engine ssl;
};

void engine::body_deleter::operator()(body* object) const noexcept { delete object; }

engine::engine(client_context const& context, client_options const& options)
    : body_(new body(context, detail::access::inner(options))) {}

engine::engine(server_context const& context) : body_(new body(context)) {}

engine::engine(client_context const& context, client_options const& options, bio_st* transport)
    : body_(new body(detail::owned_bio(transport), context, detail::access::inner(options))) {}

engine::engine(server_context const& context, bio_st* transport)
    : body_(new body(detail::owned_bio(transport), context)) {}

void engine::set_alpn(std::vector<std::string> const& protocols, alpn_mismatch policy) {
  detail::held(body_).ssl.set_alpn(protocols, policy);
}

step engine::handshake() {
  return perform("handshake", [](detail::ssl_engine& ssl) { return ssl.handshake(); });
}

step engine::read_early(asio::mutable_buffer into) {
  std::array const one{into};
  return perform("reading early data", [&](detail::ssl_engine& ssl) { return ssl.read_early(one); });
}

step engine::write_early(asio::const_buffer from) {
  std::array const one{from};
  return perform("writing early", [&](detail::ssl_engine& ssl) { return ssl.write_early(one); });
}

step engine::read(asio::mutable_buffer into) {
  std::array const one{into};
  return perform("read", [&](detail::ssl_engine& ssl) { return ssl.read(one); });
}

step engine::peek(asio::mutable_buffer into) {
  std::array const one{into};
  return perform("peek", [&](detail::ssl_engine& ssl) { return ssl.peek(one); });
}

step engine::write(asio::const_buffer from) {
  std::array const one{from};
  return perform("write", [&](detail::ssl_engine& ssl) { return ssl.write(one); });
}

step engine::close_write() {
  return perform("sending close_notify", [](detail::ssl_engine& ssl) { return ssl.close_write(); });
}

step engine::shutdown() {
  return perform("shutdown", [](detail::ssl_engine& ssl) { return ssl.shutdown(); });
}

step engine::update_key(key_update asked) {
  return perform("key update", [&](detail::ssl_engine& ssl) { return ssl.update_key(asked); });
}

step engine::request_certificate() {
  return perform("requesting a certificate",
                 [](detail::ssl_engine& ssl) { return ssl.request_certificate(); });
}

asio::awaitable<void> engine::answer() {
  body& of = detail::held(body_);
  std::shared_ptr<detail::question> asked = of.open_question();
  if (asked == of.given_out.lock()) throw error(errc::nothing_asked);
  of.given_out = asked;
  return detail::work_on(std::move(asked));
}

void engine::answer(hello_answer const& said) {
  detail::held(body_).answer<detail::asked_hello>(said);
}

void engine::answer(certificate_answer const& said) {
  detail::held(body_).answer<detail::asked_certificate>(said);
}

void engine::answer(bool said) { detail::held(body_).answer<detail::asked_verdict>(said); }

template <class Call>
step engine::perform(char const* operation, Call call) {
  if (!body_) return {want::nothing, 0, errc::not_connected};
  step const done = call(body_->ssl);
  if (done.error) body_->ssl.note_failure(done.error, operation);
  return done;
}

void engine::input(asio::const_buffer ciphertext) {
  body& to = detail::held(body_);
  to.ciphertext.keep_input();   // in the order in which it came
  to.channel().give(ciphertext.data(), ciphertext.size());
}

void engine::lend_input(asio::const_buffer ciphertext) {
  body& to = detail::held(body_);
  if (to.adopted) return input(ciphertext);
  to.ciphertext.keep_input();
  to.ciphertext.lend_input(ciphertext.data(), ciphertext.size());
}

void engine::end_input() { detail::held(body_).channel().set_ended(); }

std::size_t engine::unread() const noexcept {
  if (!body_) return 0;
  return body_->adopted ? body_->adopted->given() : body_->ciphertext.unread();
}

asio::const_buffer engine::output() {
  return body_ ? body_->ciphertext.sending() : asio::const_buffer();
}

void engine::consume_output(std::size_t bytes) {
  if (bytes > output().size()) throw error(asio::error::invalid_argument);
  if (bytes > 0) body_->ciphertext.sent(bytes);
}

connection_info engine::info() const { return detail::held(body_).ssl.info(); }

peer_info engine::peer() const { return detail::held(body_).ssl.peer(); }

std::optional<session> engine::session() const { return detail::held(body_).ssl.session(); }

std::vector<unsigned char> engine::export_key(std::string_view label,
                                              std::optional<asio::const_buffer> context,
                                              std::size_t length) const {
  return detail::held(body_).ssl.export_key(label, context, length);
}

std::vector<unsigned char> engine::channel_binding(channel_binding_kind kind) const {
  return detail::held(body_).ssl.channel_binding(kind);
}

error engine::last_error() const {
  return body_ ? body_->ssl.last_error() : error(errc::not_connected);
}

ssl_st* engine::native_handle() const noexcept {
  return body_ ? body_->ssl.native_handle() : nullptr;
}

}  // namespace cotls
