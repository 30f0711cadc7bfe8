#include <cotls/detail/engine/hello_reader.hpp>

#include "context/context_state.hpp"
#include "engine/hello_layout.hpp"
#include "engine/hello_probe.hpp"

#include <cotls/detail/channel/input_chunk.hpp>
#include <cotls/detail/support/access.hpp>

#include <new>
#include <span>

namespace cotls::detail {

hello_reader::hello_reader(server_context const& context, channel& transport)
    : context_(context), transport_(&transport) {}

hello_reader::~hello_reader() = default;

step hello_reader::read() {
  if (done_ || failed_) return {want::nothing, 0, failed_};
  try {
    switch (await_hello()) {
      case hello_arrival::awaited: return needs_input();
      case hello_arrival::too_long:
        refuse(alert::illegal_parameter);   // as OpenSSL does beyond its own limit
        return fail(errc::client_hello_too_long);
      case hello_arrival::here: return ask_probe();
    }
  } catch (std::bad_alloc const&) {
    return fail(make_error_code(boost::system::errc::not_enough_memory));
  }
  return fail(errc::unexpected_result);
}

hello_arrival hello_reader::await_hello() {
  std::size_t const limit = access::state(context_)->settings().records.max_hello();
  for (;;) {
    hello_arrival const arrival = look_for_hello(received_, limit);
    if (arrival != hello_arrival::awaited || !receive()) return arrival;
  }
}

// Without memory for it the transport has failed, as it has for other engines.
bool hello_reader::receive() {
  try {
    input_chunk const chunk = input_chunk::borrow();
    std::size_t const size =
        transport_->receive(chunk.buffer().data(), chunk.buffer().size()).bytes;
    auto const* first = static_cast<std::byte const*>(chunk.buffer().data());
    received_.insert(received_.end(), first, first + size);
    return size > 0;
  } catch (std::bad_alloc const&) {
    transport_->set_receive_error(make_error_code(boost::system::errc::not_enough_memory));
    return false;
  }
}

step hello_reader::needs_input() {
  switch (transport_->lack()) {
    case shortage::paused:   // only what is used is paused
    case shortage::dry: return {want::input, 0, {}};
    case shortage::ended: return fail(errc::handshake_truncated);
    case shortage::failed: return fail(transport_->receive_error());
  }
  return fail(errc::unexpected_result);
}

// What came is a hello, or what OpenSSL refuses: what it could miss is the rest of that.
step hello_reader::ask_probe() {
  if (!probe_) probe_ = std::make_unique<hello_probe>();
  for (;;) {
    step const next = probe_->look(std::span(received_).subspan(asked_));
    asked_ = received_.size();
    if (next.want == want::client_hello) {
      hello_ = probe_->take_hello();
      read_layout(received_, hello_);
      hello_.address = transport_->peer_address();
      probe_.reset();
      done_ = true;
      return {};
    }
    if (next.error) {
      forward_alert();
      return fail(next.error);
    }
    if (received_.size() >= max_non_tls) return fail(errc::client_hello_too_long);
    if (!receive()) return needs_input();
  }
}

step hello_reader::fail(error_code code) {
  failed_ = code;
  return {want::nothing, 0, failed_};
}

// What OpenSSL has to say to the client.
void hello_reader::forward_alert() {
  auto const said = probe_->alert();
  if (said.size() == 0) return;
  refused_ = true;
  transport_->send(said.data(), said.size());
}

void hello_reader::refuse(alert reason) {
  refused_ = true;
  auto const record = plaintext_alert(reason);
  transport_->send(record.data(), record.size());
}

error hello_reader::failure_of(error_code code, char const* operation) const {
  if (probe_) return probe_->failure_of(code, operation);
  failure known;
  known.context = operation;
  if (code && code == transport_->receive_error()) known.status = status::syscall;
  return error(code, std::move(known));
}

}  // namespace cotls::detail
