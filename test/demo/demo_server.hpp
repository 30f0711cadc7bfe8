#pragma once

#include <cotls/listener.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace cotls::demo {

/** A small HTTPS server on 127.0.0.1, on a thread of its own: the server of the demonstration. */
class https_server {
 public:
  explicit https_server(identity const& who);
  ~https_server();

  int port() const { return listener_.port(); }

  /** Returns what was negotiated with the client that was answered last, once. */
  std::optional<connection_info> take_answered();

  /** What it answers to whatever it is asked. */
  static std::string page() { return "Good day from cotls.\n"; }

 private:
  asio::awaitable<void> accept_all();
  asio::awaitable<void> answer(tcp_stream client);

  asio::io_context context_;
  listener listener_;
  std::mutex mutex_;
  std::optional<connection_info> answered_;
  std::jthread thread_;
};

}  // namespace cotls::demo
