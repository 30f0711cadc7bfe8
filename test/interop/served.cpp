#include "served.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>

#include <string_view>

namespace cotls::test {

namespace {

asio::ip::tcp::endpoint any_port() {
  return {asio::ip::address_v4::loopback(), 0};
}

listener_options reporting_to(mailbox<served>& ended) {
  listener_options options;
  options.observer([&ended](accept_failure const& failed) {
    served nothing;
    nothing.failure = failed.reason();
    ended.put(std::move(nothing));
  });
  return options;
}

// Whether the peer said goodbye; throws what else ended the reading.
bool said_goodbye(error_code code) {
  if (code && code != asio::error::eof) throw error(code);
  return code == asio::error::eof;
}

}  // namespace

server_thread::server_thread(server_context const& context, session_type session)
    : session_(std::move(session)),
      listener_(context_.get_executor(), any_port(), context, reporting_to(ended_)) {
  asio::co_spawn(context_, accept_all(), asio::detached);
  for (int i = 0; i < 2; ++i) {
    threads_.emplace_back([this] { context_.run(); });
  }
}

server_thread::~server_thread() {
  context_.stop();
  threads_.clear();
}

asio::awaitable<void> server_thread::accept_all() {
  for (;;) {
    tcp_stream accepted = co_await listener_.async_accept();
    auto const executor = accepted.get_executor();
    asio::co_spawn(executor, serve(std::move(accepted)), asio::detached);
  }
}

asio::awaitable<void> server_thread::serve(tcp_stream accepted) {
  served report;
  report.accepted = true;
  report.info = accepted.info();
  report.peer_verified = accepted.peer().verified();
  report.peer_subject = accepted.peer().subject();
  try {
    co_await session_(accepted, report);
  } catch (error const& failure) {
    report.failure = failure;
  }
  ended_.put(std::move(report));
}

asio::awaitable<void> echo(tcp_stream& peer, served& report) {
  std::vector<char> chunk(16384);
  for (;;) {
    error_code code;
    std::size_t const got = co_await peer.async_read_some(
        asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, code));
    if (said_goodbye(code)) break;
    report.received += got;
    co_await peer.async_write(asio::buffer(chunk.data(), got));
  }
  co_await peer.async_shutdown();
}

asio::awaitable<void> greet(tcp_stream& peer, served&) {
  co_await peer.async_write(asio::buffer(std::string_view("good day\n")));
  co_await peer.async_shutdown();
}

asio::awaitable<void> answer_http(tcp_stream& peer, served& report) {
  std::string waiting;
  for (;;) {
    error_code code;
    std::size_t const head = co_await asio::async_read_until(
        peer, asio::dynamic_buffer(waiting, 65536), "\r\n\r\n",
        asio::redirect_error(asio::use_awaitable, code));
    if (said_goodbye(code)) break;
    ++report.received;
    std::size_t const size = std::stoul(waiting.substr(waiting.find('/') + 1));
    waiting.erase(0, head);
    std::string const answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
                               std::to_string(size) + "\r\n\r\n" + http_body(size);
    co_await peer.async_write(asio::buffer(answer));
  }
  co_await peer.async_shutdown();
}

std::string http_body(std::size_t size) {
  std::string body(size, '\0');
  for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>('a' + i * 7 % 23);
  return body;
}

}  // namespace cotls::test
