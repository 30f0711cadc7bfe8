#pragma once

#include "tls.hpp"

#include <cotls/session.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace cotls::test {

/// How a client leaves.
enum class ending { goodbye, cut };

/// What one connection came to.
struct visit {
  bool resumed = false;
  std::optional<session> given;
};

/** A server that greets and reads until its client is gone, and clients of it, on one thread. */
struct greeting_server {
  asio::io_context context;
  std::optional<listener> server;

  ~greeting_server() { stop(); }

  /** Serves with a context, or from here on with another. */
  void serve(server_context const& with) {
    if (server) return server->replace_context(with);
    server.emplace(context.get_executor(), any_port(), with,
                   listener_options().stream_executor(context.get_executor()));
    spawn(context, accept_loop());
  }

  void stop() {
    if (server) server->close();
    context.restart();
    context.run_for(10s);
    server.reset();
  }

  /** Connects, reads the greeting and the tickets before it, and leaves. */
  visit call(client_context const& with, connect_options const& how = connect_options(),
             ending leaves = ending::goodbye) {
    visit seen;
    bool ended = false;
    auto const visiting = [&]() -> asio::awaitable<void> {
      auto stream = co_await async_connect("localhost", server->port(), with, how);
      std::string text(5, '\0');
      co_await asio::async_read(stream, asio::buffer(text), asio::use_awaitable);
      BOOST_TEST(text == "hello");
      if (with.verify_mode() != verify::none) BOOST_TEST(stream.peer().verified());
      BOOST_TEST(stream.peer().chain().size() == 1u);
      seen.resumed = stream.info().resumed;
      seen.given = stream.session();
      if (leaves == ending::goodbye) co_await stream.async_shutdown();
      ended = true;
    };
    spawn(context, visiting());
    run_until(ended);
    return seen;
  }

  void run_until(bool const& holds) {
    auto const give_up = std::chrono::steady_clock::now() + 10s;
    context.restart();
    while (!holds && std::chrono::steady_clock::now() < give_up) context.run_one_for(100ms);
    BOOST_REQUIRE(holds);
  }

 private:
  asio::awaitable<void> accept_loop() {
    for (;;) {
      auto [code, stream] = co_await server->async_accept(as_result);
      if (code) co_return;
      auto const executor = stream.get_executor();
      asio::co_spawn(executor, greet(std::move(stream)), asio::detached);
    }
  }

  static asio::awaitable<void> greet(tcp_stream stream) {
    co_await stream.async_write(asio::buffer("hello", 5), as_result);
    co_await read_to_end(stream);
    co_await stream.async_shutdown(as_result);
  }
};

}  // namespace cotls::test
