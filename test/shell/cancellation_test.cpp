// Cancellation, deadlines and hostile peers, over loopback TCP.

#include <cotls/detail/support/access.hpp>

#include "memory_stream.hpp"
#include "openssl.hpp"
#include "print.hpp"
#include "small_buffers.hpp"
#include "tls.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <utility>

namespace cotls::test::cancellation_test {

using namespace asio::experimental::awaitable_operators;

namespace {

asio::awaitable<void> pause(std::chrono::milliseconds length) {
  asio::steady_timer timer(co_await asio::this_coro::executor, length);
  co_await timer.async_wait(asio::use_awaitable);
}

// A TCP connection whose far end never speaks TLS.
struct silent_peer {
  asio::io_context& context;
  tcp::acceptor acceptor{context, any_port()};
  tcp::socket socket{context};

  explicit silent_peer(asio::io_context& runs_on) : context(runs_on) {
    acceptor.async_accept(socket, [](error_code) {});
  }
};

// A transport that can be closed, and not cancelled.
class closable {
 public:
  using executor_type = memory_stream::executor_type;
  using lowest_layer_type = closable;

  explicit closable(memory_stream next) : next_(std::move(next)) {}

  executor_type get_executor() { return next_.get_executor(); }
  closable& lowest_layer() { return *this; }
  void close() { next_.close(); }

  template <class Buffers, class Token>
  auto async_read_some(Buffers const& buffers, Token&& token) {
    return next_.async_read_some(buffers, std::forward<Token>(token));
  }

  template <class Buffers, class Token>
  auto async_write_some(Buffers const& buffers, Token&& token) {
    return next_.async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  memory_stream next_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(cancellation, connected)

BOOST_AUTO_TEST_CASE(a_read_that_loses_a_race_has_taken_nothing_and_the_stream_goes_on) {
  run(context, [&]() -> asio::awaitable<void> {
    std::string text(5, '\0');
    for (int i = 0; i < 10; ++i) {
      auto const lost = co_await (server.async_read_some(asio::buffer(text), asio::use_awaitable) ||
                                  pause(1ms));
      BOOST_TEST(lost.index() == 1u);
    }
    co_await client.async_write(asio::buffer("hello", 5));
    BOOST_TEST(co_await server.async_read_some(asio::buffer(text)) == 5u);
    BOOST_TEST(text == "hello");
  }());
}

BOOST_DATA_TEST_CASE_F(connected, each_type_of_cancellation_ends_a_callback_operation,
                       boost::unit_test::data::make({asio::cancellation_type::terminal,
                                                     asio::cancellation_type::partial,
                                                     asio::cancellation_type::total}),
                       type) {
  asio::cancellation_signal signal;
  std::string text(5, '\0');
  error_code ended;
  server.async_read_some(
      asio::buffer(text),
      asio::bind_cancellation_slot(
          signal.slot(), [&](error_code code, std::size_t) { ended = code; }));
  context.restart();
  context.poll();
  signal.emit(type);
  run_for(context);
  BOOST_TEST(ended == asio::error::operation_aborted);
  run(context, [&]() -> asio::awaitable<void> {
    co_await client.async_write(asio::buffer("hello", 5));
    BOOST_TEST(co_await server.async_read_some(asio::buffer(text)) == 5u);
  }());
}

BOOST_AUTO_TEST_CASE(a_cut_write_counts_what_was_taken_and_none_of_it_is_lost) {
  use_small_buffers(client, server);
  std::string const text = pattern(8'000'000);
  run(context, [&]() -> asio::awaitable<void> {
    error_code code;
    std::size_t taken = 0;
    auto writing = [&]() -> asio::awaitable<void> {
      std::tie(code, taken) = co_await client.async_write(asio::buffer(text), as_result);
    };
    co_await (writing() || pause(50ms));
    BOOST_TEST(code == asio::error::operation_aborted);
    BOOST_TEST(taken > 0u);
    BOOST_TEST(taken < text.size());
    auto rest = [&]() -> asio::awaitable<void> {
      co_await client.async_write(asio::buffer(text) + taken);
      co_await client.async_close_write();
    };
    auto const [end, received] = co_await (rest() && read_to_end(server));
    BOOST_TEST(end == asio::error::eof);
    BOOST_TEST((received == text));
  }());
}

BOOST_AUTO_TEST_CASE(what_a_cut_write_left_behind_is_sent_by_the_reader_that_waits) {
  use_small_buffers(client, server);
  std::string const text = pattern(8'000'000);
  run(context, [&]() -> asio::awaitable<void> {
    std::size_t taken = 0;
    std::string answer(4, '\0');
    auto writing = [&]() -> asio::awaitable<void> {
      taken = std::get<1>(co_await client.async_write(asio::buffer(text), as_result));
    };
    auto reading = [&]() -> asio::awaitable<void> {
      co_await asio::async_read(client, asio::buffer(answer), asio::use_awaitable);
    };
    auto cutting = [&]() -> asio::awaitable<void> { co_await (writing() || pause(50ms)); };
    // The server answers only when it has all that was taken: the reader must have sent the tail.
    auto answering = [&]() -> asio::awaitable<void> {
      co_await pause(80ms);
      std::string received(taken, '\0');
      co_await asio::async_read(server, asio::buffer(received), asio::use_awaitable);
      BOOST_TEST((received == text.substr(0, taken)));
      co_await server.async_write(asio::buffer("done", 4));
    };
    co_await (reading() && cutting() && answering());
    BOOST_TEST(answer == "done");
  }());
}

BOOST_AUTO_TEST_CASE(cancelling_a_read_leaves_the_write_beside_it_alone) {
  use_small_buffers(client, server);
  std::string const text = pattern(4'000'000);
  run(context, [&]() -> asio::awaitable<void> {
    auto writing = [&]() -> asio::awaitable<void> {
      std::size_t const count = co_await client.async_write(asio::buffer(text));
      BOOST_TEST(count == text.size());
    };
    auto reading = [&]() -> asio::awaitable<void> {
      char one = 0;
      for (int i = 0; i < 20; ++i) {
        co_await (client.async_read_some(asio::buffer(&one, 1), asio::use_awaitable) || pause(1ms));
      }
    };
    auto receiving = [&]() -> asio::awaitable<void> {
      co_await pause(10ms);
      std::string received(text.size(), '\0');
      co_await asio::async_read(server, asio::buffer(received), asio::use_awaitable);
      BOOST_TEST((received == text));
    };
    co_await (writing() && reading() && receiving());
  }());
}

BOOST_AUTO_TEST_CASE(closing_the_socket_ends_what_waits_on_it) {
  std::string text(5, '\0');
  error_code ended;
  server.async_read_some(asio::buffer(text), [&](error_code code, std::size_t) { ended = code; });
  context.restart();
  context.poll();
  server.next_layer().close();
  run_for(context);
  BOOST_TEST(ended == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(a_number_that_another_file_has_taken_is_never_written_to) {
  // As when somebody's timeout closes the socket beneath the stream (A16).
  int const number = client.next_layer().native_handle();
  client.next_layer().close();
  std::array<int, 2> others{};
  BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, others.data()) == 0);
  BOOST_TEST((others[0] == number || others[1] == number));
  run(context, [&]() -> asio::awaitable<void> {
    auto const [code, count] = co_await client.async_write(asio::buffer("secret", 6), as_result);
    BOOST_TEST(code == asio::error::bad_descriptor);
    char one = 0;
    auto const [read, none] = co_await client.async_read_some(asio::buffer(&one, 1), as_result);
    BOOST_TEST(read == asio::error::bad_descriptor);
  }());
  for (int each : others) {
    char one = 0;
    BOOST_TEST(::recv(each, &one, 1, MSG_DONTWAIT) < 0);
  }
  for (int each : others) ::close(each);
}

BOOST_AUTO_TEST_CASE(the_handshake_with_a_silent_peer_ends_at_its_deadline) {
  silent_peer peer(context);
  run(context, [&]() -> asio::awaitable<void> {
    tcp::socket socket(context);
    co_await socket.async_connect(peer.acceptor.local_endpoint(), asio::use_awaitable);
    tcp_stream tls(std::move(socket), localhost_client(), client_options().host("localhost"));
    tls.set_handshake_timeout(50ms);
    auto const begin = std::chrono::steady_clock::now();
    auto const [code] = co_await tls.async_handshake(as_result);
    BOOST_TEST(code == errc::handshake_timeout);
    BOOST_TEST((code == boost::system::errc::timed_out));
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 5s));
  }());
}

BOOST_AUTO_TEST_CASE(a_peer_that_drips_bytes_is_cut_off_at_the_deadline) {
  tcp::acceptor acceptor(context, any_port());
  run(context, [&]() -> asio::awaitable<void> {
    tcp::socket client_socket(context);
    auto accepting = acceptor.async_accept(asio::use_awaitable);
    co_await client_socket.async_connect(acceptor.local_endpoint(), asio::use_awaitable);
    tcp_stream tls(co_await std::move(accepting), localhost_server());
    tls.set_handshake_timeout(100ms);
    auto dripping = [&]() -> asio::awaitable<void> {
      // The header of a long record, byte by byte: each wait of the server ends in time.
      std::string const record = std::string("\x16\x03\x01\x3f\xff\x01\x00\x3f\xfb", 9) +
                                 std::string(1000, '\0');
      for (char each : record) {
        error_code failed;
        co_await asio::async_write(client_socket, asio::buffer(&each, 1),
                                   asio::redirect_error(asio::use_awaitable, failed));
        if (failed) co_return;
        co_await pause(5ms);
      }
    };
    auto shaking = [&]() -> asio::awaitable<void> {
      auto const [code] = co_await tls.async_handshake(as_result);
      BOOST_TEST(code == errc::handshake_timeout);
    };
    auto const first = co_await (shaking() || dripping());
    BOOST_TEST(first.index() == 0u);
  }());
}

BOOST_AUTO_TEST_CASE(a_shutdown_that_the_peer_never_answers_ends_at_its_deadline) {
  client.set_shutdown_timeout(50ms);
  run(context, [&]() -> asio::awaitable<void> {
    auto const [code] = co_await client.async_shutdown(as_result);
    BOOST_TEST(code == errc::shutdown_timeout);
    // What was sent is there all the same.
    auto const [end, nothing] = co_await read_to_end(server);
    BOOST_TEST(end == asio::error::eof);
  }());
}

BOOST_AUTO_TEST_CASE(a_shutdown_against_a_peer_that_keeps_sending_ends_at_its_deadline) {
  client.set_shutdown_timeout(50ms);
  bool over = false;
  run(context, [&]() -> asio::awaitable<void> {
    std::string const text = pattern(60'000);
    auto sending = [&]() -> asio::awaitable<void> {
      while (!over) {
        if (auto const [code, count] = co_await server.async_write(asio::buffer(text), as_result);
            code) {
          co_return;
        }
      }
    };
    auto shutting = [&]() -> asio::awaitable<void> {
      auto const [code] = co_await client.async_shutdown(as_result);
      BOOST_TEST(code == errc::shutdown_timeout);
      over = true;
      client = tcp_stream();
    };
    co_await (sending() && shutting());
  }());
}

BOOST_AUTO_TEST_CASE(a_cancelled_handshake_ends_at_once) {
  silent_peer peer(context);
  run(context, [&]() -> asio::awaitable<void> {
    tcp::socket socket(context);
    co_await socket.async_connect(peer.acceptor.local_endpoint(), asio::use_awaitable);
    tcp_stream tls(std::move(socket), localhost_client(), client_options().host("localhost"));
    auto const first = co_await (tls.async_handshake(asio::use_awaitable) || pause(10ms));
    BOOST_TEST(first.index() == 1u);
  }());
}

BOOST_AUTO_TEST_CASE(a_cut_write_does_not_close_a_transport_that_cannot_be_cancelled) {
  auto ends = memory_stream::make_pair(context.get_executor());
  ends.first.set_capacity(5000);
  stream<closable> ours(closable(std::move(ends.first)), localhost_client(),
                        client_options().host("localhost"));
  stream<memory_stream> theirs(std::move(ends.second), localhost_server());
  ours.async_handshake([](error_code) {});
  theirs.async_handshake([](error_code) {});
  run_for(context);
  auto const settle = [&] {
    context.restart();
    context.poll();
  };
  std::optional<error_code> read;
  std::optional<error_code> written;
  std::string answer(5, '\0');
  ours.async_read_some(asio::buffer(answer), [&](error_code code, std::size_t) { read = code; });
  asio::cancellation_signal signal;
  std::string const text = pattern(300'000);
  ours.async_write(asio::buffer(text),
                   asio::bind_cancellation_slot(
                       signal.slot(), [&](error_code code, std::size_t) { written = code; }));
  settle();
  signal.emit(asio::cancellation_type::total);
  settle();
  BOOST_TEST((written == error_code(asio::error::operation_aborted)));
  BOOST_TEST(!read.has_value());
  theirs.async_write(asio::buffer("hello", 5), [](error_code, std::size_t) {});
  settle();
  BOOST_TEST((read == error_code()));
  BOOST_TEST(answer == "hello");
}

BOOST_AUTO_TEST_CASE(a_flood_of_key_updates_makes_a_reader_keep_no_more_than_the_bound) {
  use_small_buffers(server, client);
  std::size_t most = 0;
  run(context, [&]() -> asio::awaitable<void> {
    auto flooding = [&]() -> asio::awaitable<void> {
      for (int i = 0; i < 80'000; ++i) {
        request_key_update(client.native_handle());
        auto const [code, count] = co_await client.async_write(asio::buffer("x", 1), as_result);
        if (code) co_return;
      }
    };
    auto reading = [&]() -> asio::awaitable<void> {
      std::string text(100'000, '\0');
      for (;;) {
        auto const [code, count] = co_await server.async_read_some(asio::buffer(text), as_result);
        most = std::max(most, detail::access::core(server)->engine().unsent());
        if (code) co_return;
      }
    };
    // The answers, 2 MB, are several times what the sockets take. Held to its bound, the reader
    // stops, and with it the flood.
    co_await (flooding() || reading() || pause(2s));
  }());
  BOOST_TEST(most <= 3 * detail::channel::max_unsent);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::cancellation_test
