// lookup -> each address in turn -> handshake, under one deadline; all on one strand.

#include <cotls/connect.hpp>

#include "context_state.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <memory>

namespace cotls {

namespace {

using tcp = asio::ip::tcp;
using time_point = std::chrono::steady_clock::time_point;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// Outlives the connection attempt that gave it up: getaddrinfo cannot be interrupted.
struct lookup {
  explicit lookup(asio::any_io_executor const& strand) : resolver(strand), done(strand) {}

  tcp::resolver resolver;
  asio::steady_timer done;   // cancelled by the answer, expired by the deadline
  tcp::resolver::results_type answers;
  error_code failed;
  bool answered = false;
};

asio::awaitable<bool> cancelled() {
  asio::cancellation_state const state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

[[noreturn]] void fail(error_code code, std::string doing) {
  detail::failure known;
  known.context = std::move(doing);
  throw error(code, std::move(known));
}

asio::awaitable<tcp::resolver::results_type> look_up(std::string host, int port, time_point until) {
  auto const search = std::make_shared<lookup>(co_await asio::this_coro::executor);
  search->done.expires_at(until);
  search->resolver.async_resolve(
      host, std::to_string(port), tcp::resolver::numeric_service,
      [search](error_code code, tcp::resolver::results_type answers) {
        search->failed = code;
        search->answers = std::move(answers);
        search->answered = true;
        search->done.cancel();
      });
  co_await search->done.async_wait(as_result);
  bool const given_up = co_await cancelled();
  if (given_up || !search->answered) {
    search->resolver.cancel();
    fail(given_up ? error_code(asio::error::operation_aborted) : errc::connect_timeout,
         "looking up " + host);
  }
  if (search->failed) fail(search->failed, "looking up " + host);
  co_return search->answers;
}

asio::awaitable<error_code> connect_to(tcp::socket& socket, tcp::endpoint address,
                                       time_point until) {
  auto const pending = std::make_shared<bool>(true);
  asio::steady_timer timer(co_await asio::this_coro::executor, until);
  timer.async_wait([&socket, pending](error_code code) {
    error_code ignored;
    if (!code && *pending) socket.close(ignored);
  });
  auto const [code] = co_await socket.async_connect(address, as_result);
  *pending = false;
  co_return !socket.is_open() ? errc::connect_timeout : code;
}

asio::awaitable<tcp::socket> connect_to_any(asio::any_io_executor streams, std::string host,
                                            int port, time_point until) {
  error_code last = asio::error::host_not_found;
  auto const addresses = co_await look_up(host, port, until);
  for (auto const& address : addresses) {
    tcp::socket socket(streams);
    last = co_await connect_to(socket, address.endpoint(), until);
    if (!last) {
      // Without it the last flight of the handshake and a small write meet Nagle's algorithm and
      // the delayed acknowledgement: 40 ms a connection (A10).
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      co_return socket;
    }
    if (last == errc::connect_timeout || co_await cancelled()) break;
  }
  if (co_await cancelled()) last = asio::error::operation_aborted;
  fail(last, "connecting to " + host + ":" + std::to_string(port));
}

}  // namespace

client_context default_client_context() {
  static client_context const context;
  return context;
}

std::optional<error> detail::failure_of(std::exception_ptr const& thrown) {
  if (!thrown) return std::nullopt;
  try {
    std::rethrow_exception(thrown);
  } catch (error const& known) {
    return known;
  } catch (boost::system::system_error const& plain) {
    return error(plain.code());
  }
}

asio::awaitable<tcp_stream> detail::connect(asio::any_io_executor streams,
                                            connect_request request) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  co_await asio::this_coro::throw_if_cancelled(false);
  if (request.port < 1 || request.port > 65535) throw error(errc::invalid_port);
  client_options tls = request.options.tls();
  tls.host(request.options.verify_host().empty() ? request.host : request.options.verify_host());
  ssl_engine::check_host(tls.inner().host);
  request.context.state()->seal();

  auto const until = moment_after(request.options.timeout());
  tcp::socket socket = co_await connect_to_any(streams, request.host, request.port, until);
  tcp_stream made(std::move(socket), request.context, tls);
  auto const left = until - std::chrono::steady_clock::now();
  made.set_handshake_timeout(std::min(left, request.options.handshake_timeout()));
  auto const [code] = co_await made.async_handshake(as_result);
  if (code) {
    failure known = made.core()->engine().failure_details(code);
    known.context = "handshake with " + request.host + ":" + std::to_string(request.port);
    throw error(code, std::move(known));
  }
  co_return made;
}

}  // namespace cotls
