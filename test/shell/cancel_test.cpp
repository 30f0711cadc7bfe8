// `cancel()` of a stream and of its halves: what is pending ends, and the connection goes on.

#include "memory_stream.hpp"
#include "print.hpp"
#include "small_buffers.hpp"
#include "tls.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <optional>

namespace cotls::test::cancel_test {

using namespace asio::experimental::awaitable_operators;

namespace {

// How a callback operation ended; empty while it has not.
struct ending {
  std::optional<error_code> code;
  std::size_t count = 0;

  auto handler() {
    return [this](error_code said, std::size_t bytes) {
      code = said;
      count = bytes;
    };
  }
  bool aborted() const { return code == error_code(asio::error::operation_aborted); }
};

struct fixture : connected {
  std::string const text = pattern(8'000'000);

  fixture() { use_small_buffers(client, server); }

  // Lets everything go on until it waits.
  void settle() {
    context.restart();
    context.poll();
  }

  // The rest of the text follows what a cut write has taken, and all of it arrives.
  void send_the_rest(std::size_t taken) {
    run(context, [](fixture& self, std::size_t from) -> asio::awaitable<void> {
      auto rest = [&]() -> asio::awaitable<void> {
        co_await self.client.async_write(asio::buffer(self.text) + from);
        co_await self.client.async_close_write();
      };
      auto const [end, received] = co_await (rest() && read_to_end(self.server));
      BOOST_TEST(end == asio::error::eof);
      BOOST_TEST((received == self.text));
    }(*this, taken));
  }

  // A byte goes from the client to the server and back.
  asio::awaitable<void> ping() {
    char one = 'x';
    co_await client.async_write(asio::buffer(&one, 1));
    one = 0;
    co_await server.async_read_some(asio::buffer(&one, 1));
    BOOST_TEST(one == 'x');
    co_await server.async_write(asio::buffer(&one, 1));
    co_await client.async_read_some(asio::buffer(&one, 1));
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(cancel, fixture)

BOOST_AUTO_TEST_CASE(ends_a_read_and_a_write_and_what_the_write_took_is_counted) {
  ending read;
  ending written;
  char one = 0;
  client.async_read_some(asio::buffer(&one, 1), read.handler());
  client.async_write(asio::buffer(text), written.handler());
  settle();
  BOOST_TEST(!written.code);
  client.cancel();
  settle();
  BOOST_TEST(read.aborted());
  BOOST_TEST(written.aborted());
  BOOST_TEST(written.count > 0u);
  BOOST_TEST(written.count < text.size());
  send_the_rest(written.count);
}

BOOST_AUTO_TEST_CASE(ends_what_coroutines_wait_for) {
  run(context, [&]() -> asio::awaitable<void> {
    char one = 0;
    auto reading = [&]() -> asio::awaitable<void> {
      auto const [code, count] = co_await server.async_read_some(asio::buffer(&one, 1), as_result);
      BOOST_TEST(code == asio::error::operation_aborted);
    };
    auto cancelling = [&]() -> asio::awaitable<void> {
      server.cancel();
      co_return;
    };
    co_await (reading() && cancelling());
    co_await ping();
  }());
}

BOOST_AUTO_TEST_CASE(ends_a_read_whose_wait_has_ended_and_its_data_stay) {
  ending read;
  char one = 0;
  server.async_read_some(asio::buffer(&one, 1), read.handler());
  settle();
  run(context, [&]() -> asio::awaitable<void> {
    co_await client.async_write(asio::buffer("x", 1));
    // Comes before the end of the read's wait, which the same look at the sockets will find.
    asio::post(context, [&] { server.cancel(); });
  }());
  BOOST_TEST(read.aborted());
  BOOST_TEST(one == 0);
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(co_await server.async_read_some(asio::buffer(&one, 1)) == 1u);
    BOOST_TEST(one == 'x');
  }());
}

BOOST_AUTO_TEST_CASE(of_nothing_is_nothing_to_what_follows) {
  client.cancel();
  server.cancel();
  tcp_stream().cancel();
  run(context, ping());
}

BOOST_AUTO_TEST_CASE(does_not_touch_what_is_done) {
  ending read;
  char one = 0;
  run(context, [&]() -> asio::awaitable<void> {
    co_await client.async_write(asio::buffer("xy", 2));
    co_await server.async_read_some(asio::buffer(&one, 1));
  }());
  server.async_read_some(asio::buffer(&one, 1), read.handler());
  server.cancel();   // the second byte was at hand: done, and the handler is on its way
  settle();
  BOOST_TEST(read.code.has_value());
  BOOST_TEST(!*read.code);
  BOOST_TEST(read.count == 1u);
  BOOST_TEST(one == 'y');
}

BOOST_AUTO_TEST_CASE(ends_a_shutdown_which_may_be_tried_again) {
  std::optional<error_code> shut;
  client.async_shutdown([&](error_code code) { shut = code; });
  settle();
  BOOST_TEST(!shut);
  client.cancel();
  settle();
  BOOST_TEST((shut == error_code(asio::error::operation_aborted)));
  run(context, [&]() -> asio::awaitable<void> {
    co_await (client.async_shutdown(asio::use_awaitable) &&
              server.async_shutdown(asio::use_awaitable));
  }());
}

BOOST_AUTO_TEST_CASE(ends_a_handshake_which_may_be_gone_on_with) {
  tcp::acceptor acceptor(context, any_port());
  tcp::socket far(context);
  far.connect(acceptor.local_endpoint());
  tcp_stream near(acceptor.accept(), localhost_server());
  std::optional<error_code> shaken;
  near.async_handshake([&](error_code code) { shaken = code; });
  settle();
  near.cancel();
  settle();
  BOOST_TEST((shaken == error_code(asio::error::operation_aborted)));
  tcp_stream peer(std::move(far), localhost_client(), client_options().host("localhost"));
  run(context, [&]() -> asio::awaitable<void> {
    co_await (peer.async_handshake(asio::use_awaitable) &&
              near.async_handshake(asio::use_awaitable));
  }());
}

BOOST_AUTO_TEST_CASE(works_from_the_completion_of_another_operation) {
  ending read;
  char one = 0;
  client.async_read_some(asio::buffer(&one, 1), read.handler());
  client.async_write(asio::buffer("x", 1), [&](error_code, std::size_t) { client.cancel(); });
  settle();
  BOOST_TEST(read.aborted());
}

BOOST_AUTO_TEST_CASE(of_the_socket_ends_what_waits_too) {
  ending read;
  char one = 0;
  server.async_read_some(asio::buffer(&one, 1), read.handler());
  settle();
  server.lowest_layer().cancel();
  settle();
  BOOST_TEST(read.aborted());
  run(context, ping());
}

BOOST_AUTO_TEST_CASE(of_a_half_ends_its_own_operation_and_no_other) {
  auto [reads, writes] = std::move(client).split();
  ending read;
  ending written;
  char one = 0;
  reads.async_read_some(asio::buffer(&one, 1), read.handler());
  writes.async_write(asio::buffer(text), written.handler());
  settle();
  reads.cancel();
  settle();
  BOOST_TEST(read.aborted());
  BOOST_TEST(!written.code);
  ending again;
  reads.async_read_some(asio::buffer(&one, 1), again.handler());
  settle();
  writes.cancel();
  settle();
  BOOST_TEST(written.aborted());
  BOOST_TEST(!again.code);
  // What the writer had taken is sent by the reader that waits.
  run(context, [](fixture& self, std::size_t taken) -> asio::awaitable<void> {
    std::string received(taken, '\0');
    co_await asio::async_read(self.server, asio::buffer(received), asio::use_awaitable);
    BOOST_TEST((received == self.text.substr(0, taken)));
    co_await self.server.async_write(asio::buffer("y", 1));
  }(*this, written.count));
  BOOST_TEST(again.count == 1u);
  BOOST_TEST(one == 'y');
}

BOOST_AUTO_TEST_CASE(works_over_a_transport_that_is_no_socket) {
  auto [left, right] = memory_stream::make_pair(context.get_executor());
  left.set_capacity(100'000);
  right.set_capacity(100'000);
  stream<memory_stream> near(std::move(left), localhost_client(),
                             client_options().host("localhost"));
  stream<memory_stream> far(std::move(right), localhost_server());
  run(context, [&]() -> asio::awaitable<void> {
    co_await (near.async_handshake(asio::use_awaitable) &&
              far.async_handshake(asio::use_awaitable));
  }());
  ending read;
  ending written;
  char one = 0;
  near.async_read_some(asio::buffer(&one, 1), read.handler());
  near.async_write(asio::buffer(text), written.handler());
  settle();
  BOOST_TEST(!written.code);
  near.cancel();
  settle();
  BOOST_TEST(read.aborted());
  BOOST_TEST(written.aborted());
  BOOST_TEST(written.count > 0u);
  run(context, [&]() -> asio::awaitable<void> {
    auto rest = [&]() -> asio::awaitable<void> {
      co_await near.async_write(asio::buffer(text) + written.count);
      co_await near.async_close_write();
    };
    auto const [end, received] = co_await (rest() && read_to_end(far));
    BOOST_TEST(end == asio::error::eof);
    BOOST_TEST((received == text));
  }());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::cancel_test
