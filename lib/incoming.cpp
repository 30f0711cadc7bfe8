#include <cotls/incoming.hpp>

#include "context_state.hpp"

#include <algorithm>

namespace cotls::detail {

template <class Protocol>
incoming_state<Protocol>::incoming_state(socket_type socket, typename Protocol::endpoint peer,
                                         server_context const& context, clock::duration limit)
    : executor_(socket.get_executor()),
      peer_(std::move(peer)),
      core_(std::make_shared<core_type>(std::move(socket), context)),
      left_(limit) {}

template <class Protocol>
auto incoming_state<Protocol>::begin_hello() noexcept -> clock::duration {
  began_ = clock::now();
  return left_;
}

template <class Protocol>
void incoming_state<Protocol>::stop_counting() noexcept {
  left_ = std::max(left_ - (clock::now() - began_), clock::duration::zero());
}

template <class Protocol>
client_hello incoming_state<Protocol>::end_hello(error_code const& code) {
  stop_counting();
  failed_.reset();
  if (!core_) return {};
  if (!code) return core_->engine().hello();
  failed_ = core_->failure(code, "reading the client hello");
  return {};
}

template <class Protocol>
error_code incoming_state<Protocol>::begin_handshake(server_context const* chosen) {
  if (!core_) return errc::not_connected;
  if (core_->reading.busy) return errc::operation_in_progress;
  server_context const context = chosen ? *chosen : core_->engine().context();
  try {
    context.state()->seal();
  } catch (error const& unusable) {
    failed_ = unusable;
    return unusable.code();
  }
  auto const last = std::move(core_);
  auto const received = last->engine().take_received();
  shaking_ = stream_type(last->take_next(), context);
  shaking_.give_input(asio::buffer(received));
  shaking_.set_handshake_timeout(left_);
  began_ = clock::now();
  return {};
}

template <class Protocol>
auto incoming_state<Protocol>::end_handshake(error_code const& code) -> stream_type {
  stop_counting();
  stream_type made = std::move(shaking_);
  failed_.reset();
  if (!code) return made;
  if (made) failed_ = made.core()->failure(code, "handshake");
  return {};
}

template <class Protocol>
auto incoming_state<Protocol>::release() -> std::pair<socket_type, std::vector<std::byte>> {
  if (core_->reading.busy) throw error(errc::operation_in_progress);
  auto const last = std::move(core_);
  auto received = last->engine().take_received();
  return {last->take_next(), std::move(received)};
}

template <class Protocol>
void incoming_state<Protocol>::refuse(alert reason) {
  if (core_->reading.busy) throw error(errc::operation_in_progress);
  auto const last = std::move(core_);
  last->engine().refuse(reason);
}

template <class Protocol>
void incoming_state<Protocol>::abandon() {
  if (core_) core_->abandon();
  shaking_ = stream_type();
}

template <class Protocol>
error incoming_state<Protocol>::failure(error_code code) const {
  return failed_ && (!code || failed_->code() == code) ? *failed_ : error(code);
}

template class incoming_state<asio::ip::tcp>;
template class incoming_state<asio::local::stream_protocol>;

}  // namespace cotls::detail
