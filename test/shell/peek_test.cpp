// Looks at data that stays for the next read, by every handle and over every kind of transport.

#include "blocking.hpp"
#include "memory_stream.hpp"
#include "print.hpp"
#include "ssl_streams.hpp"
#include "tls.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <string>
#include <tuple>
#include <utility>

namespace cotls::test::peek_test {

using namespace asio::experimental::awaitable_operators;

namespace {

template <class From>
asio::awaitable<std::string> peeked(From& from, std::size_t most = 100) {
  std::string text(most, '\0');
  std::size_t const count = co_await from.async_peek_some(asio::buffer(text), asio::use_awaitable);
  co_return text.substr(0, count);
}

template <class From>
asio::awaitable<std::string> received(From& from, std::size_t most = 100) {
  std::string text(most, '\0');
  std::size_t const count = co_await from.async_read_some(asio::buffer(text), asio::use_awaitable);
  co_return text.substr(0, count);
}

template <class From>
asio::awaitable<error_code> end_of(From& from) {
  std::array<char, 10> text;
  auto const [peek, seen] = co_await from.async_peek_some(asio::buffer(text), as_result);
  auto const [read, taken] = co_await from.async_read_some(asio::buffer(text), as_result);
  BOOST_TEST(peek == read);
  BOOST_TEST(seen + taken == 0u);
  co_return peek;
}

// The first is looked at by the second's words.
template <class From, class To>
asio::awaitable<void> look_and_read(From& from, To& to) {
  auto saying = [&]() -> asio::awaitable<void> {
    co_await asio::async_write(to, asio::buffer("hello", 5), asio::use_awaitable);
  };
  std::string const waited_for = co_await (peeked(from, 2) && saying());
  BOOST_TEST(waited_for == "he");
  BOOST_TEST(co_await peeked(from) == "hello");
  BOOST_TEST(co_await received(from, 1) == "h");
  BOOST_TEST(co_await peeked(from) == "ello");
  BOOST_TEST(co_await received(from) == "ello");
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(peeking, connected)

BOOST_AUTO_TEST_CASE(a_look_waits_for_data_and_leaves_it_for_the_read) {
  run(context, [&]() -> asio::awaitable<void> {
    co_await look_and_read(server, client);
    co_await client.async_close_write();
    BOOST_TEST(co_await end_of(server) == asio::error::eof);
  }());
}

BOOST_AUTO_TEST_CASE(a_half_looks_as_the_whole_does) {
  auto [reading, writing] = std::move(server).split();
  run(context, [&]() -> asio::awaitable<void> {
    co_await look_and_read(reading, client);
    client.next_layer().shutdown(tcp::socket::shutdown_send);
    BOOST_TEST(co_await end_of(reading) == errc::stream_truncated);
  }());
  auto [of_nothing, to_nothing] = tcp_stream().split();
  run(context, [](auto& empty) -> asio::awaitable<void> {
    BOOST_TEST(co_await end_of(empty) == errc::not_connected);
  }(of_nothing));
}

BOOST_AUTO_TEST_CASE(over_memory_it_is_the_same) {
  auto [near, far] = memory_stream::make_pair(context.get_executor());
  stream<memory_stream> looking(std::move(near), localhost_client(),
                                client_options().host("localhost"));
  stream<memory_stream> saying(std::move(far), localhost_server());
  run(context, [&]() -> asio::awaitable<void> {
    co_await (looking.async_handshake() && saying.async_handshake());
    co_await look_and_read(looking, saying);
  }());
}

BOOST_AUTO_TEST_CASE(a_look_spreads_over_a_sequence_of_buffers) {
  run(context, [&]() -> asio::awaitable<void> {
    co_await client.async_write(asio::buffer("abcdef", 6));
    std::array<char, 2> first{};
    std::array<char, 9> second{};
    std::array<asio::mutable_buffer, 3> const into{asio::buffer(first), asio::mutable_buffer(),
                                                   asio::buffer(second)};
    for (int again = 0; again < 2; ++again) {
      BOOST_TEST(co_await server.async_peek_some(into) == 6u);
      BOOST_TEST(std::string(first.data(), 2) == "ab");
      BOOST_TEST(std::string(second.data(), 4) == "cdef");
      first = {};
      second = {};
    }
  }());
}

BOOST_AUTO_TEST_CASE(a_look_into_no_room_completes_at_once) {
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(co_await server.async_peek_some(asio::mutable_buffer()) == 0u);
  }());
}

BOOST_AUTO_TEST_CASE(one_of_a_look_and_a_read_may_be_pending) {
  std::array<char, 10> text;
  error_code first, second, third;
  auto const into = [](error_code& kept) {
    return [&kept](error_code code, std::size_t) { kept = code; };
  };
  server.async_read_some(asio::buffer(text), into(first));
  server.async_peek_some(asio::buffer(text), into(second));
  context.restart();
  context.poll();
  BOOST_TEST(second == errc::operation_in_progress);
  server.cancel();
  run_for(context);
  BOOST_TEST(first == asio::error::operation_aborted);
  server.async_peek_some(asio::buffer(text), into(first));
  server.async_read_some(asio::buffer(text), into(third));
  context.restart();
  context.poll();
  BOOST_TEST(third == errc::operation_in_progress);
  client.async_write(asio::buffer("x", 1), [](error_code, std::size_t) {});
  run_for(context);
  BOOST_TEST(!first);
}

BOOST_AUTO_TEST_CASE(a_look_that_is_cancelled_leaves_all_as_it_was) {
  std::array<char, 10> text;
  error_code ended;
  server.async_peek_some(asio::buffer(text),
                         [&](error_code code, std::size_t) { ended = code; });
  server.cancel();
  run_for(context);
  BOOST_TEST(ended == asio::error::operation_aborted);
  run(context, look_and_read(server, client));
}

// None of these looks waits for anything.
BOOST_AUTO_TEST_CASE(whoever_looks_again_and_again_keeps_nobody_from_running) {
  run(context, [&]() -> asio::awaitable<void> {
    co_await client.async_write(asio::buffer("x", 1));
    auto looking = [&]() -> asio::awaitable<void> {
      for (;;) {
        std::array<char, 10> text;
        co_await server.async_peek_some(asio::buffer(text));
      }
    };
    auto other = []() -> asio::awaitable<void> { co_await asio::post(asio::use_awaitable); };
    auto const first = co_await (looking() || other());
    BOOST_TEST(first.index() == 1u);
    BOOST_TEST(co_await received(server) == "x");
  }());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(peeking_elsewhere)

BOOST_AUTO_TEST_CASE(a_program_for_asio_ssl_has_it_too_and_its_errors) {
  asio::io_context context;
  asio::ssl::context client_side = localhost_ssl_client();
  asio::ssl::context server_side = localhost_ssl_server();
  ssl_stream_pair pair(context, client_side, server_side);
  pair.handshake(context);
  run(context, [&]() -> asio::awaitable<void> {
    co_await look_and_read(pair.server, pair.client);
    co_await asio::async_write(pair.client, asio::buffer("bye", 3), asio::use_awaitable);
  }());
  std::array<char, 10> text;
  error_code code;
  BOOST_TEST(pair.server.peek_some(asio::buffer(text)) == 3u);
  BOOST_TEST(pair.server.peek_some(asio::buffer(text), code) == 3u);
  BOOST_TEST(!code);
  BOOST_TEST(pair.server.read_some(asio::buffer(text)) == 3u);
  pair.client.next_layer().shutdown(tcp::socket::shutdown_send);
  BOOST_TEST(pair.server.peek_some(asio::buffer(text), code) == 0u);
  BOOST_TEST(code == asio::ssl::error::stream_truncated);
  BOOST_CHECK_THROW(pair.server.peek_some(asio::buffer(text)), error);
}

BOOST_AUTO_TEST_CASE(on_the_calling_thread_a_look_has_the_time_of_a_read) {
  blocking_pair pair;
  std::array<char, 10> text;
  error_code code;
  pair.server.set_timeout(0s);
  BOOST_TEST(pair.server.peek_some(asio::buffer(text), code) == 0u);
  BOOST_TEST(code == asio::error::timed_out);
  pair.server.set_timeout(20s);
  pair.client.write(asio::buffer("hello", 5));
  for (int again = 0; again < 2; ++again) {
    BOOST_TEST(pair.server.peek_some(asio::buffer(text)) == 5u);
    BOOST_TEST(std::string(text.data(), 5) == "hello");
  }
  BOOST_TEST(pair.server.read_some(asio::buffer(text)) == 5u);
  pair.client.close_write();
  BOOST_CHECK_EXCEPTION(pair.server.peek_some(asio::buffer(text)), error,
                        with_code(asio::error::eof));
  BOOST_TEST(pair.server.read_some(asio::buffer(text), code) == 0u);
  BOOST_TEST(code == asio::error::eof);
  blocking::stream empty;
  empty.peek_some(asio::buffer(text), code);
  BOOST_TEST(code == errc::not_connected);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::peek_test
