#include <cotls/blocking.hpp>

#include "context_state.hpp"

#include <boost/asio/io_context.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cotls {

namespace {

using tcp = asio::ip::tcp;
using clock = std::chrono::steady_clock;

error_code last_system_error() noexcept {
  return error_code(errno, boost::system::system_category());
}

[[noreturn]] void fail(error_code code, std::string doing) {
  detail::failure known;
  known.context = std::move(doing);
  throw error(code, std::move(known));
}

void set_no_delay(int descriptor) noexcept {
  int const on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);   // A10
}

error_code connect_to(int descriptor, tcp::endpoint const& address, clock::time_point until) {
  if (::connect(descriptor, address.data(), static_cast<socklen_t>(address.size())) == 0) {
    return {};
  }
  if (errno != EINPROGRESS) return last_system_error();
  error_code unwaited;
  if (!detail::wait_for(descriptor, detail::action::wait_output, until, unwaited)) {
    return unwaited ? unwaited : error_code(errc::connect_timeout);
  }
  int failed = 0;
  socklen_t size = sizeof failed;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failed, &size) != 0) {
    return last_system_error();
  }
  return error_code(failed, boost::system::system_category());
}

detail::socket_handle connect_to_any(std::string_view host, int port, clock::duration limit) {
  std::string const where = std::string(host) + ":" + std::to_string(port);
  // Only for the lookup's types; it runs nothing and starts no thread.
  asio::io_context unused;
  error_code last;
  auto const addresses = tcp::resolver(unused).resolve(
      host, std::to_string(port), tcp::resolver::numeric_service, last);
  if (last) fail(last, "looking up " + std::string(host));
  auto const until = detail::moment_after(limit);
  for (auto const& entry : addresses) {
    tcp::endpoint const address = entry.endpoint();
    detail::socket_handle socket(::socket(
        address.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    last = socket.get() < 0 ? last_system_error() : connect_to(socket.get(), address, until);
    if (!last) return socket;
    if (last == errc::connect_timeout) break;
  }
  fail(last, "connecting to " + where);
}

}  // namespace

detail::socket_handle::~socket_handle() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

namespace blocking {

// Shakes hands over a new connection.
stream handshaken(std::unique_ptr<detail::blocking_core> core, stream::duration limit,
                  std::string const& peer) {
  set_no_delay(core->descriptor());
  stream made;
  made.core_ = std::move(core);
  error_code code;
  made.run<detail::handshake_operation<detail::blocking_core>>(limit, code);
  if (!code) return made;
  detail::failure known = made.core_->engine().failure_details(code);
  known.context = "handshake with " + peer;
  throw error(code, std::move(known));
}

stream connect(std::string_view host, int port, client_context const& context,
               connect_options const& options) {
  client_options const tls = detail::checked_options(host, port, options);
  context.state()->seal();
  auto const until = detail::moment_after(options.timeout());
  auto core = std::make_unique<detail::blocking_core>(
      connect_to_any(host, port, options.timeout()), context, tls.inner());
  return handshaken(std::move(core),
                    std::min(until - clock::now(), options.handshake_timeout()),
                    std::string(host) + ":" + std::to_string(port));
}

listener::listener(tcp::endpoint const& endpoint, server_context const& context, int backlog)
    : context_(context),
      socket_(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP)) {
  int const on = 1;
  bool const listens =
      socket_.get() >= 0 &&
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      ::bind(socket_.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0 &&
      ::listen(socket_.get(), backlog) == 0;
  if (!listens) {
    fail(last_system_error(), "listening on " + endpoint.address().to_string() + ":" +
                                  std::to_string(endpoint.port()));
  }
}

stream listener::accept() {
  context_.state()->seal();
  tcp::endpoint peer;
  for (;;) {
    auto size = static_cast<socklen_t>(peer.capacity());
    detail::socket_handle socket(
        ::accept4(socket_.get(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.get() >= 0) {
      peer.resize(size);
      auto core = std::make_unique<detail::blocking_core>(std::move(socket), context_);
      return handshaken(std::move(core), handshake_timeout_,
                        peer.address().to_string() + ":" + std::to_string(peer.port()));
    }
    // Gone before it was accepted: the peer's affair (A9).
    if (errno != EINTR && errno != ECONNABORTED) fail(last_system_error(), "accept");
  }
}

tcp::endpoint listener::local_endpoint() const {
  tcp::endpoint local;
  auto size = static_cast<socklen_t>(local.capacity());
  if (::getsockname(socket_.get(), local.data(), &size) != 0) {
    fail(last_system_error(), "reading the listener's address");
  }
  local.resize(size);
  return local;
}

}  // namespace blocking

}  // namespace cotls
