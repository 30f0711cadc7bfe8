// Everything runs on one thread: sessions, the timers that cut them off, and the end.
//
//   accept_all ──▶ begin ──▶ serve_one (a coroutine a client) ──▶ ended
//       ▲ waits while there are as many as there may be              │
//       └────────────────────────────────────────────────────────────┘
//   watch_clients: once a second, cuts off those whose deadline has passed

#include "server.hpp"

#include "explained.hpp"
#include "printable.hpp"

#include <cotls/key_pin.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <iostream>
#include <sstream>

namespace cotls::tool {

namespace {

using asio::ip::tcp;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// The time for handshakes in progress when the server stops: nobody has asked for anything in them.
constexpr auto handshake_grace = std::chrono::seconds(5);

std::string text_of(tcp::endpoint const& peer) {
  std::ostringstream text;
  text << peer;
  return text.str();
}

void print_line(std::string const& about, std::string_view what) {
  std::cerr << about + ": " + printable(what) + "\n" << std::flush;
}

// Tells of connections that came to nothing: of a client's failure when that was asked for; always
// when accepting itself fails, as without descriptors, but once a minute at the most: it is tried
// again many times a second.
class failure_teller {
 public:
  explicit failure_teller(bool verbose) : verbose_(verbose) {}

  void operator()(accept_failure const& failed) {
    if (failed.peer() != tcp::endpoint()) {
      if (verbose_) print_line(text_of(failed.peer()), explained(failed.reason()));
      return;
    }
    auto const now = session::clock::now();
    if (now < silent_until_) return;
    silent_until_ = now + std::chrono::minutes(1);
    print_line("accepting clients failed", explained(failed.reason()));
  }

 private:
  bool verbose_;
  session::clock::time_point silent_until_ = session::clock::time_point::min();
};

listener_options listening(asio::io_context& context, server_settings const& how) {
  listener_options options;
  options.stream_executor(context.get_executor())
      .handshake_timeout(how.handshake_timeout())
      .early_data(how.early_data())
      .observer(failure_teller(how.verbose()));
  return options;
}

}  // namespace

session::session(tcp_stream accepted, std::string peer, server_settings const& how)
    : stream_(std::move(accepted)),
      peer_(std::move(peer)),
      verbose_(how.verbose()),
      may_be_early_(how.early_data()),
      patience_(how.patience()) {}

void session::wait_for_client() noexcept {
  progress();
  waits_ = true;
}

void session::progress() noexcept {
  waits_ = false;
  if (patience_ != clock::duration::max()) deadline_ = clock::now() + patience_;
}

void session::report(std::string_view what) const {
  if (verbose_) print_line(peer_, what);
}

void session::report_certificate() const {
  if (!verbose_) return;
  peer_info const client = stream_.peer();
  if (!client.certificate()) return;
  report((client.verified() ? "is " : "says it is, NOT VERIFIED: ") + printable(client.subject()) +
         " (" + key_pin::of(*client.certificate()).text() + ')');
}

void session::stop() {
  stopping_ = true;
  if (waits_) cut();
}

// Without its socket no operation lasts, and no goodbye.
void session::abandon() {
  error_code ignored;
  stream_.next_layer().close(ignored);
  if (abandoned_) abandoned_();
}

server::server(asio::io_context& context, tcp::endpoint const& where, server_context const& tls,
               service serve, server_settings const& how)
    : context_(context),
      serve_(std::move(serve)),
      settings_(how),
      listener_(context.get_executor(), where, tls, listening(context, how)),
      watch_(context),
      room_(context, asio::steady_timer::time_point::max()),
      grace_(context, asio::steady_timer::time_point::max()) {}

asio::awaitable<void> server::run() {
  asio::co_spawn(context_, watch_clients(), asio::detached);
  co_await accept_all();
  while (!sessions_.empty()) {
    // Ends early when a session does; at its end, nobody is waited for any longer.
    auto const [woken] = co_await grace_.async_wait(as_result);
    if (!woken) {
      for (session& each : sessions_) each.cut();
      grace_.expires_at(asio::steady_timer::time_point::max());
    }
  }
  watch_.cancel();
}

void server::stop() {
  if (stopping_) {
    listener_.close();
    for (session& each : sessions_) each.abandon();
    return;
  }
  stopping_ = true;
  room_.cancel();
  grace_.expires_after(settings_.stop_timeout());
  listener_.async_stop(std::min<duration>(handshake_grace, settings_.stop_timeout()),
                       asio::detached);
  for (session& each : sessions_) each.stop();
}

// A server that stops takes those who have waited, to say goodbye to them.
asio::awaitable<void> server::accept_all() {
  for (;;) {
    while (full() && !stopping_) co_await room_.async_wait(as_result);
    auto [code, accepted] = co_await listener_.async_accept(as_result);
    if (stopping_ && code) co_return;
    if (code) throw error(code);
    begin(std::move(accepted));
  }
}

void server::begin(tcp_stream accepted) {
  error_code gone;
  tcp::endpoint const peer = settings_.verbose() ? accepted.remote_endpoint(gone) : tcp::endpoint();
  auto const which = sessions_.emplace(sessions_.end(), std::move(accepted), text_of(peer),
                                       settings_);
  if (stopping_) which->stop();
  asio::co_spawn(context_, serve_one(*which),
                 asio::bind_cancellation_slot(which->cancel_.slot(), [this, which](auto) {
                   ended(which);
                 }));
}

asio::awaitable<void> server::serve_one(session& client) {
  try {
    // Whoever is let in while the server stops is only said goodbye to.
    if (!client.may_be_early()) client.report_certificate();
    if (!client.stopping_) co_await serve_(client);
  } catch (error const& failed) {
    client.report(explained(failed));
  } catch (std::exception const& failed) {
    client.report(failed.what());
  }
  client.abandoned_ = nullptr;   // the service has ended, and all that it held
  // What cut the session off must not cut its goodbye off, too, which has a deadline of its own.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await client.stream().async_shutdown(as_result);
}

void server::ended(sessions::iterator which) {
  sessions_.erase(which);
  room_.cancel();
  if (stopping_) grace_.cancel();
}

asio::awaitable<void> server::watch_clients() {
  for (;;) {
    watch_.expires_after(std::chrono::seconds(1));
    auto const [cancelled] = co_await watch_.async_wait(as_result);
    if (cancelled) co_return;
    auto const now = session::clock::now();
    for (session& each : sessions_) {
      if (each.deadline_ <= now) each.cut();
    }
  }
}

}  // namespace cotls::tool
