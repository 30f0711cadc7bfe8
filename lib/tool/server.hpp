#pragma once

#include <cotls/listener.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <string_view>

namespace cotls::tool {

/** What the command line says of the server. */
class server_settings {
 public:
  using duration = std::chrono::steady_clock::duration;

  server_settings() {}
  server_settings& patience(duration longest) { patience_ = longest; return *this; }
  server_settings& handshake_timeout(duration longest) {
    handshake_timeout_ = longest;
    return *this;
  }
  server_settings& verbose(bool value) { verbose_ = value; return *this; }

  /** Whether clients are served that have sent early data, before their handshake is done. */
  server_settings& early_data(bool value) { early_data_ = value; return *this; }

  /** How many clients are served at once; those beyond that wait. */
  server_settings& max_clients(std::size_t clients) { max_clients_ = clients; return *this; }

  /** How long what is in progress may take when the server stops. */
  server_settings& stop_timeout(duration longest) { stop_timeout_ = longest; return *this; }

  duration patience() const noexcept { return patience_; }
  duration handshake_timeout() const noexcept { return handshake_timeout_; }
  bool verbose() const noexcept { return verbose_; }
  bool early_data() const noexcept { return early_data_; }
  std::size_t max_clients() const noexcept { return max_clients_; }
  duration stop_timeout() const noexcept { return stop_timeout_; }

 private:
  duration patience_ = duration::max();
  duration handshake_timeout_ = std::chrono::seconds(10);
  bool verbose_ = false;
  bool early_data_ = false;
  std::size_t max_clients_ = 1000;
  duration stop_timeout_ = std::chrono::seconds(30);
};

/** One client of a server. Its coroutine is cancelled when it is idle for too long, and when the
    server stops; the client is then said goodbye to. */
class session {
 public:
  using clock = std::chrono::steady_clock;

  session(tcp_stream accepted, std::string peer, server_settings const& how);

  tcp_stream& stream() noexcept { return stream_; }

  /** Begins to wait for the client: what it waits for must be there, whole, before the patience
      ends. When the server stops, it waits no longer. */
  void wait_for_client() noexcept;

  /** Does something with the client, which must get on with it before the patience ends. */
  void progress() noexcept;

  /** Says that the server stops: no further request is to be waited for. */
  bool stopping() const noexcept { return stopping_; }

  /** Sets what is done when the server can wait no longer: to end at once whatever the service
      would wait for beside the client. */
  void when_abandoned(std::function<void()> function) { abandoned_ = std::move(function); }

  /** Reports a line about the client, if that was asked for. */
  void report(std::string_view what) const;

  /** Reports who the client is, once its handshake is done. */
  void report_certificate() const;

  /** Whether the client may have sent early data, before its handshake is done: a service that reads
      it first goes on with the handshake behind it. */
  bool may_be_early() const noexcept { return may_be_early_; }

 private:
  friend class server;

  void stop();
  void cut() { cancel_.emit(boost::asio::cancellation_type::terminal); }
  void abandon();

  tcp_stream stream_;
  std::string const peer_;
  bool const verbose_;
  bool const may_be_early_;
  clock::duration const patience_;
  clock::time_point deadline_ = clock::time_point::max();
  bool waits_ = false;
  bool stopping_ = false;
  std::function<void()> abandoned_;
  boost::asio::cancellation_signal cancel_;
};

/** Accepts clients and serves each with a coroutine, all on one thread, until told to stop. */
class server {
 public:
  using duration = std::chrono::steady_clock::duration;

  /** Serves a client; when it returns, the client is said goodbye to. */
  using service = std::function<boost::asio::awaitable<void>(session&)>;

  server(boost::asio::io_context& context, boost::asio::ip::tcp::endpoint const& where,
         server_context const& tls, service serve, server_settings const& how);

  boost::asio::ip::tcp::endpoint endpoint() const { return listener_.local_endpoint(); }

  /** Serves until `stop` was called and every client has gone. */
  boost::asio::awaitable<void> run();

  /** Accepts nobody any more, ends the clients that are waited for, and gives the others the time
      of `stop_timeout`. Called again, it ends all of them at once. */
  void stop();

 private:
  using sessions = std::list<session>;

  boost::asio::awaitable<void> accept_all();
  bool full() const noexcept { return sessions_.size() >= settings_.max_clients(); }
  boost::asio::awaitable<void> watch_clients();
  boost::asio::awaitable<void> serve_one(session& client);
  void begin(tcp_stream accepted);
  void ended(sessions::iterator which);

  boost::asio::io_context& context_;
  service const serve_;
  server_settings const settings_;
  listener listener_;
  sessions sessions_;
  boost::asio::steady_timer watch_;
  boost::asio::steady_timer room_;    // cancelled by the end of a session, and by stop
  boost::asio::steady_timer grace_;
  bool stopping_ = false;
};

}  // namespace cotls::tool
