// HTTP over our streams: Beast's algorithms, Beast's transports, and what an end means.

#include "beast_streams.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <tuple>

namespace cotls::test::http_test {

namespace {

namespace http = beast::http;
using request = http::request<http::string_body>;
using response = http::response<http::string_body>;

struct fixture {
  asio::io_context context;
};

template <class Tls>
asio::awaitable<void> serve(Tls& tls) {
  beast::flat_buffer buffer;
  for (;;) {
    request asked;
    auto const [code, size] = co_await http::async_read(tls, buffer, asked, as_result);
    if (code) {
      BOOST_TEST(code == http::error::end_of_stream);
      break;
    }
    response answer(http::status::ok, asked.version(), asked.body());
    answer.chunked(true);
    co_await http::async_write(tls, answer, asio::use_awaitable);
  }
  co_await tls.async_shutdown();
}

template <class Tls>
asio::awaitable<void> ask(Tls& tls) {
  beast::flat_buffer buffer;
  for (std::size_t const size : {1u, 10u, 300'000u}) {
    request asked(http::verb::post, "/", 11, pattern(size));
    asked.prepare_payload();
    co_await http::async_write(tls, asked, asio::use_awaitable);
    response answer;
    co_await http::async_read(tls, buffer, answer, asio::use_awaitable);
    BOOST_TEST((answer.body() == asked.body()));
  }
  co_await tls.async_shutdown();
}

using streams = std::tuple<stream<tcp::socket>, stream<beast::tcp_stream>,
                           stream<beast::test::stream>, ssl_stream<beast::tcp_stream>>;

using timed_streams = std::tuple<stream<beast::tcp_stream>, ssl_stream<beast::tcp_stream>>;

// What a client reads whose server sends this and then ends the connection.
template <class End>
asio::awaitable<error_code> read_response(tls_ends<tcp_stream>& ends, std::string const& sent,
                                          End end) {
  co_await ends.server.async_write(asio::buffer(sent));
  end(ends.server);
  beast::flat_buffer buffer;
  response answer;
  auto const [code, size] = co_await http::async_read(ends.client, buffer, answer, as_result);
  co_return code;
}

void close_with_notice(tcp_stream& tls) { tls.async_close_write(asio::detached); }
void just_end(tcp_stream& tls) { tls.next_layer().shutdown(tcp::socket::shutdown_send); }

constexpr char const* without_length = "HTTP/1.0 200 OK\r\n\r\nthe body";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(beast_http, fixture)

BOOST_AUTO_TEST_CASE_TEMPLATE(requests_and_answers_pass, Tls, streams) {
  tls_ends<Tls> ends(context);
  spawn(context, serve(ends.server));
  run(context, ask(ends.client));
}

BOOST_AUTO_TEST_CASE(a_transport_that_gives_one_byte_at_a_time_will_do) {
  tls_ends<stream<beast::test::stream>> ends(context);
  ends.server.next_layer().read_size(1);
  ends.client.next_layer().write_size(7);
  spawn(context, serve(ends.server));
  run(context, ask(ends.client));
}

BOOST_AUTO_TEST_CASE(a_body_that_ends_with_the_connection_needs_close_notify) {
  tls_ends<tcp_stream> whole(context);
  tls_ends<tcp_stream> cut(context);
  run(context, [&]() -> asio::awaitable<void> {
    error_code const ended = co_await read_response(whole, without_length, close_with_notice);
    BOOST_TEST(!ended);
    error_code const truncated = co_await read_response(cut, without_length, just_end);
    BOOST_TEST(truncated == errc::stream_truncated);
  }());
}

BOOST_AUTO_TEST_CASE(between_messages_close_notify_is_the_end_of_the_stream) {
  tls_ends<tcp_stream> whole(context);
  tls_ends<tcp_stream> cut(context);
  tls_ends<tcp_stream> tolerated(context);
  tolerated.client.tolerate_truncation();
  run(context, [&]() -> asio::awaitable<void> {
    error_code code = co_await read_response(whole, "", close_with_notice);
    BOOST_TEST(code == http::error::end_of_stream);
    code = co_await read_response(cut, "", just_end);
    BOOST_TEST(code == errc::stream_truncated);
    code = co_await read_response(tolerated, "", just_end);
    BOOST_TEST(code == http::error::end_of_stream);
  }());
}

BOOST_AUTO_TEST_CASE(a_message_is_cut_by_either_end) {
  tls_ends<tcp_stream> whole(context);
  tls_ends<tcp_stream> cut(context);
  std::string const half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
  run(context, [&]() -> asio::awaitable<void> {
    error_code code = co_await read_response(whole, half, close_with_notice);
    BOOST_TEST(code == http::error::partial_message);
    code = co_await read_response(cut, half, just_end);
    BOOST_TEST(code == errc::stream_truncated);
  }());
}

BOOST_AUTO_TEST_CASE(the_drop_in_says_that_a_message_was_cut_as_asio_does) {
  tls_ends<ssl_stream<beast::tcp_stream>> ends(context);
  run(context, [&]() -> asio::awaitable<void> {
    beast::get_lowest_layer(ends.server).socket().shutdown(tcp::socket::shutdown_send);
    beast::flat_buffer buffer;
    response answer;
    auto const [code, size] = co_await http::async_read(ends.client, buffer, answer, as_result);
    BOOST_TEST(code == asio::ssl::error::stream_truncated);
  }());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_timeout_of_beasts_ends_a_read, Tls, timed_streams) {
  tls_ends<Tls> ends(context);
  run(context, [&]() -> asio::awaitable<void> {
    beast::get_lowest_layer(ends.client).expires_after(20ms);
    beast::flat_buffer buffer;
    response answer;
    auto const [code, size] = co_await http::async_read(ends.client, buffer, answer, as_result);
    BOOST_TEST(code == beast::error::timeout);
    auto const [again, count] =
        co_await ends.client.async_write_some(asio::buffer("abcd", 4), as_result);
    BOOST_TEST(!!again);
  }());
}

BOOST_AUTO_TEST_CASE(blocking_calls_over_beasts_transport_meet_their_deadline) {
  tls_ends<ssl_stream<beast::tcp_stream>> ends(context);
  ends.client.set_shutdown_timeout(20ms);
  error_code code;
  ends.client.shutdown(code);
  BOOST_TEST(code == errc::shutdown_timeout);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::http_test
