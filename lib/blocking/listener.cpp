#include <cotls/blocking/listener.hpp>

#include "blocking/handshake.hpp"
#include "engine/seal.hpp"
#include "error/fail.hpp"
#include "system/socket.hpp"
#include "system/system_error.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace cotls::blocking {

namespace {

using tcp = asio::ip::tcp;

std::string text_of(tcp::endpoint const& address) {
  if (!detail::is_tcp(address)) return "a local peer";
  return detail::host_and_port(address.address().to_string(), address.port());
}

bool set(int descriptor, int level, int option, bool value) noexcept {
  int const number = value ? 1 : 0;
  return ::setsockopt(descriptor, level, option, &number, sizeof number) == 0;
}

// How an address of IPv6 is listened on: as the system has it by default, or IPv4's, too.
enum class families : std::uint8_t { by_default, both };

// Empty, with `failed`, when it cannot be.
template <class Endpoint>
detail::owned_descriptor listen_at(Endpoint const& at, listen_options const& options,
                                families taken, error_code& failed) {
  bool const is_tcp = std::is_same_v<Endpoint, tcp::endpoint>;
  bool const takes_both = taken == families::both && at.protocol().family() == AF_INET6;
  detail::owned_descriptor made = detail::make_socket(at.protocol().family(), failed);
  if (failed) return made;
  bool const listens =
      (!is_tcp || set(made.get(), SOL_SOCKET, SO_REUSEADDR, options.reuse_address())) &&
      (!is_tcp || set(made.get(), SOL_SOCKET, SO_REUSEPORT, options.reuse_port())) &&
      (!takes_both || set(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, false)) &&
      ::bind(made.get(), at.data(), static_cast<socklen_t>(at.size())) == 0 &&
      ::listen(made.get(), options.backlog()) == 0;
  if (listens) return made;
  failed = detail::last_system_error();
  return {};
}

template <class Endpoint>
detail::owned_descriptor listen_at(Endpoint const& at, listen_options const& options,
                                std::string const& where) {
  error_code failed;
  detail::owned_descriptor made = listen_at(at, options, families::by_default, failed);
  if (failed) detail::fail(failed, "listening on " + where);
  return made;
}

// Where a host is to be listened on, the best first. All addresses: those of IPv6, of which a
// system without IPv6 has none, are to take the connections of IPv4 as well.
std::vector<tcp::endpoint> addresses_of(std::string const& host, int port) {
  auto const number = static_cast<std::uint16_t>(port);
  if (host.empty()) return {{tcp::v6(), number}, {tcp::v4(), number}};
  asio::io_context unused;   // only for the lookup's types
  error_code failed;
  auto const answers = tcp::resolver(unused).resolve(
      host, std::to_string(port), tcp::resolver::numeric_service | tcp::resolver::passive, failed);
  if (failed) detail::fail(failed, "looking up " + host);
  return {answers.begin(), answers.end()};
}

detail::owned_descriptor listen_at_first(std::string const& host, int port,
                                      listen_options const& options) {
  if (port < 0 || port > 65535) throw error(errc::invalid_port);
  error_code failed = asio::error::host_not_found;
  for (tcp::endpoint const& each : addresses_of(host, port)) {
    failed = {};
    auto const taken = host.empty() ? families::both : families::by_default;
    detail::owned_descriptor made = listen_at(each, options, taken, failed);
    if (!failed) return made;
  }
  detail::fail(failed, "listening on " + detail::host_and_port(host, port));
}

// False when none came in time.
bool client_waits(int descriptor, detail::give_up_at until) {
  pollfd waited[]{{descriptor, POLLIN, 0}};
  error_code failed;
  bool const ready = detail::poll_until(waited, until, failed) > 0;
  if (ready && (waited[0].revents & POLLHUP)) failed = asio::error::operation_aborted;   // closed
  if (failed) detail::fail(failed, "waiting for clients");
  return ready;
}

}  // namespace

listener::listener(tcp::endpoint const& endpoint,
                   context_or_protocol<server_context> const& context,
                   listen_options const& options)
    : context_(context.context()),
      options_(options),
      socket_(listen_at(endpoint, options, text_of(endpoint))) {}

listener::listener(std::string_view host, int port,
                   context_or_protocol<server_context> const& context,
                   listen_options const& options)
    : context_(context.context()),
      options_(options),
      socket_(listen_at_first(std::string(host), port, options)) {}

listener::listener(asio::local::stream_protocol::endpoint const& path,
                   context_or_protocol<server_context> const& context,
                   listen_options const& options)
    : context_(context.context()),
      options_(options),
      socket_(listen_at(path, options, path.path())) {}

int listener::descriptor() const {
  if (socket_.get() < 0) throw error(errc::not_connected);
  return socket_.get();
}

bool listener::wait_ready(std::chrono::steady_clock::duration limit) const {
  return client_waits(descriptor(), detail::give_up_after(limit));
}

detail::owned_descriptor listener::accept_socket(tcp::endpoint& peer) {
  detail::give_up_at const until = detail::give_up_after(options_.accept_timeout());
  for (;;) {
    auto size = static_cast<socklen_t>(peer.capacity());
    detail::owned_descriptor made(
        ::accept4(descriptor(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (made.get() >= 0) return made;
    error_code failed = detail::last_system_error();
    if (failed == asio::error::would_block) {
      if (client_waits(socket_.get(), until)) continue;
      failed = asio::error::timed_out;
    } else if (failed == asio::error::interrupted || failed == asio::error::connection_aborted) {
      continue;   // the latter is gone before it was accepted: the peer's affair (A9)
    } else if (failed == asio::error::invalid_argument) {
      failed = asio::error::operation_aborted;   // closed
    }
    detail::fail(failed, "accept");
  }
}

stream listener::accept() {
  detail::seal(context_);
  tcp::endpoint peer;
  detail::owned_descriptor socket = accept_socket(peer);
  detail::set_no_delay(socket.get());
  stream made(socket.get(), context_);
  socket.release();
  made.set_handshake_timeout(options_.handshake_timeout());
  if (options_.early_data()) detail::access::core(made)->engine().stop_at_early_data();
  detail::shake_hands(made, text_of(peer));
  return made;
}

stream listener::accept(error_code& code) {
  return detail::or_code(code, [&] { return accept(); });
}

void listener::close() noexcept { ::shutdown(socket_.get(), SHUT_RDWR); }

tcp::endpoint listener::local_endpoint() const {
  return detail::tcp_endpoint(::getsockname, descriptor(), "reading the listener's address");
}

}  // namespace cotls::blocking
