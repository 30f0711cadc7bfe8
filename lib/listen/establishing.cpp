#include <cotls/detail/listen/establishing.hpp>

#include "engine/seal.hpp"
#include "operation/farewell.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <new>

namespace cotls::detail {

template <class Protocol>
establishing<Protocol>::establishing(socket_type&& socket, endpoint_type peer)
    : executor_(socket.get_executor()), peer_(std::move(peer)), socket_(std::move(socket)) {}

template <class Protocol>
void establishing<Protocol>::begin(server_context const& context, clock::duration limit,
                                   bool early) {
  context_ = context;
  left_ = limit;
  stops_early_ = early;
}

template <class Protocol>
void establishing<Protocol>::take_seat(handshake_room& room) {
  int const descriptor = socket_->native_handle();
  seat_ = room.enter([descriptor] { ::shutdown(descriptor, SHUT_RDWR); });
}

template <class Protocol>
auto establishing<Protocol>::expose() noexcept -> socket_type& {
  if (seat_) seat_->expose();
  return socket();
}

template <class Protocol>
void establishing<Protocol>::make_reader() {
  if (hello_) return;
  hello_ = std::make_shared<hello_core>(std::move(*socket_), *context_);
  socket_.reset();
}

template <class Protocol>
auto establishing<Protocol>::take_socket() -> socket_type {
  if (hello_) return std::exchange(hello_, nullptr)->take_next();
  socket_type taken = std::move(*socket_);
  socket_.reset();
  return taken;
}

template <class Protocol>
error_code establishing<Protocol>::begin_hello() {
  if (!waits()) return errc::not_connected;
  if (reads_hello()) return errc::operation_in_progress;
  try {
    make_reader();
  } catch (std::bad_alloc const&) {
    return asio::error::no_memory;
  }
  began_ = clock::now();
  return {};
}

template <class Protocol>
void establishing<Protocol>::stop_counting() noexcept {
  left_ = std::max(left_ - (clock::now() - began_), clock::duration::zero());
}

template <class Protocol>
client_hello establishing<Protocol>::end_hello(error_code const& code) {
  stop_counting();
  if (seat_) seat_->holds();
  failed_.reset();
  if (!hello_) return {};
  if (!code) return hello_->engine().hello();
  failed_ = hello_->failure(code, "reading the client hello");
  return {};
}

template <class Protocol>
error_code establishing<Protocol>::begin_handshake(server_context const* chosen) {
  if (!waits()) return errc::not_connected;
  if (reads_hello()) return errc::operation_in_progress;
  server_context const context = chosen ? *chosen : *context_;
  try {
    seal(context);
  } catch (error const& unusable) {
    failed_ = unusable;
    return unusable.code();
  }
  try {
    auto const received = hello_ ? hello_->engine().take_received() : std::vector<std::byte>();
    shaking_ = stream_type(take_socket(), context);
    shaking_.give_input(asio::buffer(received));
    if (stops_early_) access::core(shaking_)->engine().stop_at_early_data();
  } catch (error const& unusable) {
    failed_ = unusable;
    return unusable.code();
  } catch (std::bad_alloc const&) {
    return asio::error::no_memory;
  }
  began_ = clock::now();
  return {};
}

template <class Protocol>
auto establishing<Protocol>::end_handshake(error_code& code, std::function<void()> over)
    -> stream_type {
  stop_counting();
  if (!code && seat_ && !seat_->holds()) code = errc::displaced;   // and its socket is cut
  stream_type made = std::move(shaking_);
  failed_.reset();
  if (!code) return made;
  auto const last = access::core(made);
  try {
    if (last) failed_ = last->failure(code, "handshake");
  } catch (std::bad_alloc const&) {
    // The code is reported; only what is known of it is lost.
  }
  if (last && is_refusal(code)) {
    say_farewell(last->transport().take_next(), std::move(over));
  } else {
    leave_room();
  }
  return {};
}

template <class Protocol>
auto establishing<Protocol>::release() -> std::pair<socket_type, std::vector<std::byte>> {
  if (reads_hello()) throw error(errc::operation_in_progress);
  leave_room();
  auto received = hello_ ? hello_->engine().take_received() : std::vector<std::byte>();
  return {take_socket(), std::move(received)};
}

template <class Protocol>
void establishing<Protocol>::refuse(alert reason) {
  if (reads_hello()) throw error(errc::operation_in_progress);
  make_reader();
  hello_->engine().refuse(reason);
  say_farewell(take_socket(), nullptr);
}

template <class Protocol>
void establishing<Protocol>::abandon() {
  bool const refused = hello_ && !reads_hello() && hello_->engine().refused();
  if (refused) return say_farewell(take_socket(), nullptr);
  leave_room();
  if (hello_) hello_->abandon();
  socket_.reset();
  shaking_ = stream_type();
}

template <class Protocol>
void establishing<Protocol>::leave_room() noexcept {
  if (seat_) seat_->leave();
}

// The seat is kept until the end, and given up at once where others need it.
template <class Protocol>
void establishing<Protocol>::say_farewell(socket_type socket, std::function<void()> over) {
  if (seat_ && !seat_->refuses()) return leave_room();   // displaced: the socket is cut
  auto const ended = [self = this->shared_from_this(), over = std::move(over)] {
    self->leave_room();
    if (over) over();
  };
  try {
    farewell<socket_type>::say(std::move(socket), left_, ended);
    says_farewell_ = true;
  } catch (std::exception const&) {
    leave_room();   // no memory: the client sees a reset instead
  }
}

template <class Protocol>
error establishing<Protocol>::failure(error_code code) const {
  return failed_ && (!code || failed_->code() == code) ? *failed_ : error(code);
}

template class establishing<asio::ip::tcp>;
template class establishing<asio::local::stream_protocol>;

}  // namespace cotls::detail
