// One client:
//
//   client ──▶ receive_all ──▶ the command's input     the client's close_notify: closed
//   client ◀── send_all    ◀── the command's output    its end decides: close_notify
//
// A client that is gone, or a server that stops, ends the command.

#include "services.hpp"

#include "child.hpp"
#include "relay.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

#include <csignal>
#include <memory>
#include <variant>

namespace cotls::tool {

namespace {

using std::chrono::seconds;

// The time that a command has to end itself when it is asked to.
constexpr auto last_words = seconds(3);

// A command that reads no more still has something to say, and its client may go on sending.
asio::awaitable<void> feed(tcp_stream& client, child& command) {
  try {
    co_await receive_all(client, command.input());
  } catch (descriptor_error const&) {
    co_return;
  }
  error_code ignored;
  command.input().close(ignored);
}

// The client is told of the output's end at once: the command may last longer.
asio::awaitable<void> answer(child& command, tcp_stream& client) {
  co_await send_all(command.output(), client);
  co_await client.async_close_write();
}

asio::awaitable<void> relay(session& client, child& command) {
  using namespace asio::experimental::awaitable_operators;
  auto const first = co_await (ending_of(answer(command, client.stream())) ||
                               failing_of(feed(client.stream(), command)));
  std::exception_ptr const failed = std::visit([](auto const& one) { return one; }, first);
  if (failed) std::rethrow_exception(failed);
}

asio::awaitable<void> end(child& command) {
  command.signal(SIGTERM);
  auto const status = co_await command.wait(last_words);
  if (!status) command.signal(SIGKILL);
}

asio::awaitable<void> serve_command(nursery& children, std::string const& text, session& client) {
  child command(client.stream().get_executor(), children, text);
  client.when_abandoned([&command] { command.signal(SIGKILL); });
  client.wait_for_client();
  std::exception_ptr const failed = co_await ending_of(relay(client, command));
  error_code ignored;
  command.input().close(ignored);
  command.output().close(ignored);
  if (!failed) {
    auto const status = co_await command.wait(std::chrono::steady_clock::duration::max());
    if (status) client.report("the command exited with " + std::to_string(*status));
    if (status) co_return;
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await end(command);
  if (failed) std::rethrow_exception(failed);
}

}  // namespace

server::service command_service(asio::io_context& context, std::string command) {
  auto const children = std::make_shared<nursery>(context);
  return [children, command = std::move(command)](session& client) {
    return serve_command(*children, command, client);
  };
}

}  // namespace cotls::tool
