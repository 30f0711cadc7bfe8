// lookup -> race of its addresses -> handshake, under one deadline; all on one strand.

#include <cotls/connect.hpp>

#include <cotls/detail/support/access.hpp>

#include "connect/address_race.hpp"
#include "connect/connect_limit.hpp"
#include "connect/connect_race.hpp"
#include "connect/lookup.hpp"
#include "context/context_state.hpp"
#include "engine/seal.hpp"
#include "error/fail.hpp"
#include "identity/host_name.hpp"
#include "settings/alpn_settings.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <exception>
#include <memory>
#include <new>
#include <vector>

namespace cotls {

namespace {

using detail::fail;
using tcp = asio::ip::tcp;
using time_point = std::chrono::steady_clock::time_point;

constexpr auto as_result = asio::as_tuple(asio::deferred);

// Outlives the connection attempt that gave it up: getaddrinfo cannot be interrupted.
struct lookup {
  explicit lookup(asio::any_io_executor const& strand) : resolver(strand), done(strand) {}

  tcp::resolver resolver;
  asio::steady_timer done;   // cancelled by the answer, expired by the deadline
  tcp::resolver::results_type answers;
  error_code failed;
  bool answered = false;
};

asio::awaitable<std::vector<tcp::endpoint>> look_up(std::string host, int port,
                                                    address_family family, time_point until) {
  auto const search = std::make_shared<lookup>(co_await asio::this_coro::executor);
  search->done.expires_at(until);
  detail::look_up_in(family, [&](auto... protocol) {
    search->resolver.async_resolve(
        protocol..., host, std::to_string(port), tcp::resolver::numeric_service,
        [search](error_code code, tcp::resolver::results_type answers) {
          search->failed = code;
          search->answers = std::move(answers);
          search->answered = true;
          search->done.cancel();
        });
  });
  co_await search->done.async_wait(as_result);
  asio::cancellation_state const state = co_await asio::this_coro::cancellation_state;
  bool const given_up = state.cancelled() != asio::cancellation_type::none;
  if (given_up || !search->answered) {
    search->resolver.cancel();
    fail(given_up ? error_code(asio::error::operation_aborted) : errc::connect_timeout,
         "looking up " + host);
  }
  if (search->failed) fail(search->failed, "looking up " + host);
  co_return std::vector<tcp::endpoint>(search->answers.begin(), search->answers.end());
}

asio::awaitable<tcp::socket> connect_to_any(asio::any_io_executor streams, std::string host,
                                            int port, connect_options const& options,
                                            time_point until) {
  auto const literal = detail::literal_endpoint(host, port, options.family());
  std::vector<tcp::endpoint> addresses;
  if (literal) {
    addresses.push_back(*literal);
  } else {
    addresses = co_await look_up(host, port, options.family(), until);
  }
  try {
    auto racing = detail::connect_to_first(streams, detail::interleaved(addresses),
                                           options.attempt_delay(), until);
    tcp::socket socket = co_await std::move(racing);
    // Without it the last flight of the handshake and a small write meet Nagle's algorithm and
    // the delayed acknowledgement: 40 ms a connection (A10).
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    co_return socket;
  } catch (error const& failed) {
    fail(failed.code(), "connecting to " + detail::host_and_port(host, port));
  }
}

}  // namespace

client_context default_client_context() {
  static auto const* const everybodys = [] {
    auto made = std::make_unique<client_context>();
    detail::seal(*made);
    detail::access::state(*made)->keep();
    return made.release();   // for static objects, too: never freed
  }();
  return *everybodys;
}

client_options detail::checked_options(std::string_view host, int port,
                                       connect_options const& options) {
  if (port < 1 || port > 65535) throw error(errc::invalid_port);
  host_name const connected_to(host);
  client_options tls = options.tls();
  tls.host(options.verify_host().empty() ? std::string(host) : options.verify_host());
  if (options.resumption()) tls.port(static_cast<std::uint16_t>(port));
  connection_options const& inner = access::inner(tls);
  inner.check();
  host_name const verified(inner.host);
  for (std::string const& also : inner.also_accepted) verified.check_beside(host_name(also));
  alpn_settings const sendable(inner.alpn);
  return tls;
}

void detail::check_algorithms(client_context const& context, client_options const& options) {
  access::inner(options).check_algorithms(access::state(context)->handle());
}

namespace {

asio::awaitable<tcp_stream> connect(asio::any_io_executor streams,
                                    std::unique_ptr<detail::connect_request> request) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  co_await asio::this_coro::throw_if_cancelled(false);
  client_options const tls =
      detail::checked_options(request->host, request->port, request->options);
  detail::seal(request->context);
  detail::check_algorithms(request->context, tls);

  detail::connect_limit const limit(request->options);
  tcp::socket socket = co_await connect_to_any(streams, request->host, request->port,
                                               request->options, limit.until());
  tcp_stream made(std::move(socket), request->context, tls);
  made.set_handshake_timeout(limit.for_handshake());
  auto const [code] = co_await made.async_handshake(as_result);
  if (code) {
    throw detail::access::core(made)->engine().handshake_failure(
        code, detail::host_and_port(request->host, request->port));
  }
  co_return made;
}

// An exception that no connection can end with is the io_context's.
error failure_of(std::exception_ptr const& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (error const& known) {
    return known;
  } catch (boost::system::system_error const& plain) {
    return error(plain.code());
  } catch (std::bad_alloc const&) {
    return error(make_error_code(boost::system::errc::not_enough_memory));
  }
}

}  // namespace

void detail::start_connecting(asio::any_io_executor const& streams, asio::cancellation_slot slot,
                              std::unique_ptr<connect_request> request,
                              std::unique_ptr<connect_waiter> waiter) {
  asio::any_io_executor const runs_on = waiter->executor();
  auto ended = [waiter = std::move(waiter)](std::exception_ptr const& thrown, tcp_stream made) {
    if (!thrown) return waiter->complete({}, std::move(made));
    error const failed = failure_of(thrown);
    waiter->complete(failed.code(), tcp_stream(failed));
  };
  asio::co_spawn(asio::make_strand(streams), connect(streams, std::move(request)),
                 asio::bind_cancellation_slot(slot,
                                              asio::bind_executor(runs_on, std::move(ended))));
}

asio::awaitable<tcp_stream> async_connect(std::string_view host, int port,
                                          connect_options const& options) {
  return async_connect(host, port, default_client_context(), options);
}

}  // namespace cotls
