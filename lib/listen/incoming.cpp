#include <cotls/incoming.hpp>

#include <cotls/detail/support/access.hpp>

#include "engine/seal.hpp"
#include "operation/farewell.hpp"

#include <algorithm>

namespace cotls::detail {

template <class Protocol>
incoming_state<Protocol>::incoming_state(socket_type socket, typename Protocol::endpoint peer,
                                         server_context const& context, clock::duration limit,
                                         std::unique_ptr<handshake_room::seat> seat)
    : executor_(socket.get_executor()),
      peer_(std::move(peer)),
      core_(std::make_shared<core_type>(std::move(socket), context)),
      left_(limit),
      seat_(std::move(seat)) {}

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
  if (seat_) seat_->holds();
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
    seal(context);
  } catch (error const& unusable) {
    failed_ = unusable;
    return unusable.code();
  }
  auto const last = std::move(core_);
  auto const received = last->engine().take_received();
  shaking_ = stream_type(last->take_next(), context);
  shaking_.give_input(asio::buffer(received));
  began_ = clock::now();
  return {};
}

template <class Protocol>
auto incoming_state<Protocol>::end_handshake(error_code& code) -> stream_type {
  stop_counting();
  if (!code && seat_ && !seat_->holds()) code = errc::displaced;   // and its socket is cut
  stream_type made = std::move(shaking_);
  failed_.reset();
  bool const refused = is_refusal(code);
  if (!refused) leave_room();
  if (!code) return made;
  if (made) failed_ = access::core(made)->failure(code, "handshake");
  if (refused && made) say_farewell(access::core(made)->transport().take_next());
  return {};
}

template <class Protocol>
auto incoming_state<Protocol>::release() -> std::pair<socket_type, std::vector<std::byte>> {
  if (core_->reading.busy) throw error(errc::operation_in_progress);
  leave_room();
  auto const last = std::move(core_);
  auto received = last->engine().take_received();
  return {last->take_next(), std::move(received)};
}

template <class Protocol>
void incoming_state<Protocol>::refuse(alert reason) {
  if (core_->reading.busy) throw error(errc::operation_in_progress);
  auto const last = std::move(core_);
  last->engine().refuse(reason);
  say_farewell(last->transport().take_next());
}

template <class Protocol>
void incoming_state<Protocol>::abandon() {
  bool const refused = core_ && !core_->reading.busy && core_->engine().refused();
  if (refused) return say_farewell(std::exchange(core_, nullptr)->transport().take_next());
  leave_room();
  if (core_) core_->abandon();
  shaking_ = stream_type();
}

template <class Protocol>
auto incoming_state<Protocol>::lend() noexcept -> socket_type& {
  if (seat_) seat_->lend();
  return core_->next();
}

template <class Protocol>
void incoming_state<Protocol>::leave_room() noexcept {
  if (seat_) seat_->leave();
}

// The seat is kept until the end, and given up at once where others need it.
template <class Protocol>
void incoming_state<Protocol>::say_farewell(socket_type socket) {
  if (seat_) seat_->refuses();
  try {
    farewell<socket_type>::say(std::move(socket), left_, [seat = seat_] {
      if (seat) seat->leave();
    });
  } catch (std::exception const&) {
    leave_room();   // no memory: the client sees a reset instead
  }
}

template <class Protocol>
error incoming_state<Protocol>::failure(error_code code) const {
  return failed_ && (!code || failed_->code() == code) ? *failed_ : error(code);
}

template class incoming_state<asio::ip::tcp>;
template class incoming_state<asio::local::stream_protocol>;

}  // namespace cotls::detail
