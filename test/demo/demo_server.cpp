#include "demo_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace cotls::demo {

namespace {

server_context context_of(identity const& who) {
  server_context made;
  made.use(who).set_alpn({"http/1.1"});
  return made;
}

}  // namespace

https_server::https_server(identity const& who)
    : listener_(context_.get_executor(), {asio::ip::address_v4::loopback(), 0}, context_of(who)) {
  asio::co_spawn(context_, accept_all(), asio::detached);
  thread_ = std::jthread([this] { context_.run(); });
}

https_server::~https_server() { context_.stop(); }

std::optional<connection_info> https_server::take_answered() {
  std::scoped_lock const lock(mutex_);
  return std::exchange(answered_, std::nullopt);
}

asio::awaitable<void> https_server::accept_all() {
  for (;;) {
    tcp_stream client = co_await listener_.async_accept();
    auto const executor = client.get_executor();
    // A client that goes away ends its own session, and nothing else.
    asio::co_spawn(executor, answer(std::move(client)), asio::detached);
  }
}

asio::awaitable<void> https_server::answer(tcp_stream client) {
  std::string request;
  co_await asio::async_read_until(client, asio::dynamic_buffer(request, 16384), "\r\n\r\n",
                                  asio::use_awaitable);
  {
    std::scoped_lock const lock(mutex_);
    answered_ = client.info();
  }
  std::string const body = page();
  std::string const response =
      "HTTP/1.1 200 OK\r\n"
      "Content-Type: text/plain\r\n"
      "Content-Length: " + std::to_string(body.size()) + "\r\n"
      "Connection: close\r\n"
      "\r\n" + body;
  co_await client.async_write(asio::buffer(response));
  co_await client.async_shutdown();
}

}  // namespace cotls::demo
