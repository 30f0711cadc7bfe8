// lookup -> race of its addresses -> handshake, on the calling thread; the last two under one
// deadline.

#include <cotls/blocking/connect.hpp>

#include "blocking/handshake.hpp"
#include "blocking/race.hpp"
#include "connect/address_race.hpp"
#include "connect/connect_limit.hpp"
#include "connect/lookup.hpp"
#include "engine/seal.hpp"
#include "error/fail.hpp"
#include "identity/host_name.hpp"
#include "system/socket.hpp"
#include "system/system_error.hpp"

#include <cotls/detail/support/access.hpp>

#include <boost/asio/io_context.hpp>

#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <ctime>
#include <string>
#include <vector>

namespace cotls::blocking {

namespace {

using tcp = asio::ip::tcp;
using local_endpoint = asio::local::stream_protocol::endpoint;
using clock = std::chrono::steady_clock;

std::vector<tcp::endpoint> look_up(std::string const& host, int port, address_family family) {
  if (auto const literal = detail::literal_endpoint(host, port, family)) return {*literal};
  // Only for the lookup's types; it runs nothing and starts no thread.
  asio::io_context unused;
  error_code failed;
  auto const answers = detail::look_up_in(family, [&](auto... protocol) {
    return tcp::resolver(unused).resolve(protocol..., host, std::to_string(port),
                                         tcp::resolver::numeric_service, failed);
  });
  if (failed) detail::fail(failed, "looking up " + host);
  return {answers.begin(), answers.end()};
}

stream handshaken(detail::owned_descriptor socket, client_context const& context,
                  client_options const& tls, stream::duration limit, std::string const& peer) {
  stream made(socket.get(), context, tls);
  socket.release();
  made.set_handshake_timeout(limit);
  detail::shake_hands(made, peer);
  return made;
}

// While the queue of a Unix domain listener is full, a connect that does not block fails, and there
// is nothing to poll for. One that blocks waits for room, as long as sending may take.
detail::owned_descriptor connect_to(local_endpoint const& path, clock::time_point until) {
  std::string const doing = "connecting to " + path.path();
  detail::owned_descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (made.get() < 0) detail::fail(detail::last_system_error(), doing);
  for (;;) {
    auto const left = std::chrono::ceil<std::chrono::microseconds>(until - clock::now()).count();
    if (left <= 0) detail::fail(errc::connect_timeout, doing);
    timeval const limit{static_cast<std::time_t>(left / 1'000'000),
                        static_cast<suseconds_t>(left % 1'000'000)};
    ::setsockopt(made.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (::connect(made.get(), path.data(), static_cast<socklen_t>(path.size())) == 0) return made;
    if (errno != EINTR && errno != EAGAIN) detail::fail(detail::last_system_error(), doing);
  }
}

}  // namespace

stream connect(std::string_view host, int port,
               context_or_protocol<client_context> const& context,
               connect_options const& options) {
  client_options const tls = detail::checked_options(host, port, options);
  std::string const name(host);
  std::string const where = detail::host_and_port(name, port);
  client_context const used = context.context();
  detail::seal(used);
  detail::check_algorithms(used, tls);

  auto const addresses = detail::interleaved(look_up(name, port, options.family()));
  detail::connect_limit const limit(options);
  detail::owned_descriptor socket;
  try {
    socket = detail::connect_to_first(addresses, options.attempt_delay(), limit.until());
  } catch (error const& failed) {
    detail::fail(failed.code(), "connecting to " + where);
  }
  detail::set_no_delay(socket.get());
  return handshaken(std::move(socket), used, tls, limit.for_handshake(), where);
}

stream connect(std::string_view host, int port, connect_options const& options) {
  return connect(host, port, default_client_context(), options);
}

stream connect(std::string_view host, int port,
               context_or_protocol<client_context> const& context,
               connect_options const& options, error_code& code) {
  return detail::or_code(code, [&] { return connect(host, port, context, options); });
}

stream connect(local_endpoint const& path, context_or_protocol<client_context> const& context,
               connect_options const& options) {
  client_options tls = options.tls();
  client_context const used = context.context();
  detail::access::inner(tls).check();
  bool const any_name = detail::access::inner(tls).accepts_any_name();
  bool const named = used.verify_mode() != verify::none && !any_name;
  if (!options.verify_host().empty() || named) {
    if (options.verify_host().empty()) throw error(errc::no_host_name);   // fails closed
    tls.host(options.verify_host());
    detail::host_name const verified(detail::access::inner(tls).host);
  }
  detail::seal(used);
  detail::check_algorithms(used, tls);

  detail::connect_limit const limit(options);
  detail::owned_descriptor socket = connect_to(path, limit.until());
  return handshaken(std::move(socket), used, tls, limit.for_handshake(), path.path());
}

stream connect(local_endpoint const& path, context_or_protocol<client_context> const& context,
               connect_options const& options, error_code& code) {
  return detail::or_code(code, [&] { return connect(path, context, options); });
}

}  // namespace cotls::blocking
