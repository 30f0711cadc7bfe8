#pragma once

#include "process.hpp"
#include "temporary_directory.hpp"
#include "tool_peers.hpp"

#include <cotls/session_store.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace cotls::test {

/** A `redis-server` on a port of 127.0.0.1, which may be killed and started again, and forgets all
    then. */
class redis_server {
 public:
  redis_server() : port_(free_port()) { start(); }

  int port() const noexcept { return port_; }

  void start() {
    process_ = std::make_unique<process>(
        std::vector<std::string>{"redis-server", "--bind", "127.0.0.1", "--port",
                                 std::to_string(port_), "--save", "", "--appendonly", "no",
                                 "--dir", directory_.path().string()});
    if (!process_->prints("Ready to accept connections")) {
      throw std::runtime_error("no redis-server: " + process_->errors());
    }
  }

  void kill() { process_->kill(); }

 private:
  temporary_directory directory_;
  int port_;
  std::unique_ptr<process> process_;
};

/** One command in RESP, Redis's protocol, over a connection of its own.
    @return The string that it answers with; none for a null.
    @par Errors boost::system::system_error; std::runtime_error for an error of Redis's */
inline asio::awaitable<std::optional<std::string>> ask_redis(int port,
                                                             std::vector<std::string> command) {
  asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
  asio::ip::tcp::endpoint const server(asio::ip::address_v4::loopback(),
                                       static_cast<std::uint16_t>(port));
  co_await socket.async_connect(server, asio::use_awaitable);
  std::string text = '*' + std::to_string(command.size()) + "\r\n";
  for (std::string const& word : command) {
    text += '$' + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
  std::string said;
  std::size_t const line =
      co_await asio::async_read_until(socket, asio::dynamic_buffer(said), "\r\n",
                                      asio::use_awaitable);
  if (said.front() == '-') throw std::runtime_error("redis: " + said);
  if (said.front() != '$') co_return said.substr(1, line - 3);
  long const size = std::stol(said.substr(1, line - 3));
  if (size < 0) co_return std::nullopt;
  std::size_t const whole = line + static_cast<std::size_t>(size) + 2;
  if (said.size() < whole) {
    co_await asio::async_read(socket, asio::dynamic_buffer(said),
                              asio::transfer_exactly(whole - said.size()), asio::use_awaitable);
  }
  co_return said.substr(line, static_cast<std::size_t>(size));
}

/** A store of sessions in Redis. */
inline session_store redis_store(asio::any_io_executor executor, int port) {
  using bytes_type = std::vector<unsigned char>;
  auto const take = [port](std::string const& name) -> asio::awaitable<std::optional<bytes_type>> {
    std::vector<std::string> command;
    command.emplace_back("GETDEL");
    command.push_back("session:" + name);
    auto const kept = co_await ask_redis(port, std::move(command));
    if (!kept.has_value()) co_return std::nullopt;
    co_return bytes_type(kept->begin(), kept->end());
  };
  auto const put = [port](std::string const& name, bytes_type const& session,
                          std::chrono::seconds lasting) -> asio::awaitable<void> {
    std::vector<std::string> command;
    command.emplace_back("SET");
    command.push_back("session:" + name);
    command.emplace_back(session.begin(), session.end());
    command.emplace_back("EX");
    command.push_back(std::to_string(lasting.count()));
    co_await ask_redis(port, std::move(command));
  };
  return session_store(std::move(executor), take, put);
}

}  // namespace cotls::test
