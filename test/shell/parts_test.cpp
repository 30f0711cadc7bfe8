// A stream that is split, handed a beginning, or gives its transport back.

#include "memory_stream.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <cotls/engine.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>

namespace cotls::test::parts_test {

using namespace asio::experimental::awaitable_operators;

namespace {

struct sockets {
  asio::io_context context;
  tcp::socket left{context};
  tcp::socket right{context};

  sockets() {
    tcp::acceptor acceptor(context, any_port());
    left.connect(acceptor.local_endpoint());
    right = acceptor.accept();
  }
};

namespace data = boost::unit_test::data;

std::string text_of(std::vector<std::byte> const& bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

client_options to_localhost() { return client_options().host("localhost"); }

template <class Client, class Server>
asio::awaitable<void> shake_hands(Client& client, Server& server) {
  co_await (client.async_handshake(asio::use_awaitable) &&
            server.async_handshake(asio::use_awaitable));
}

template <class Client, class Server>
asio::awaitable<void> shut_down(Client& client, Server& server) {
  co_await (client.async_shutdown(asio::use_awaitable) &&
            server.async_shutdown(asio::use_awaitable));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(parts, connected)

BOOST_AUTO_TEST_CASE(the_halves_of_a_stream_live_in_different_coroutines) {
  std::string const text = pattern(2'000'000);
  auto [from_client, to_server] = std::move(client).split();
  auto [from_server, to_client] = std::move(server).split();
  auto writing = [&](write_half<tcp::socket> half) -> asio::awaitable<void> {
    co_await half.async_write(asio::buffer(text));
    co_await half.async_close_write();
  };
  auto reading = [&](read_half<tcp::socket> half) -> asio::awaitable<void> {
    auto const [code, received] = co_await read_to_end(half);
    BOOST_TEST(code == asio::error::eof);
    BOOST_TEST((received == text));
  };
  spawn(context, writing(std::move(to_server)));
  spawn(context, reading(std::move(from_client)));
  spawn(context, writing(std::move(to_client)));
  spawn(context, reading(std::move(from_server)));
  run_for(context);
  BOOST_TEST(!client);
}

BOOST_AUTO_TEST_CASE(a_write_half_that_is_destroyed_ends_its_direction_and_no_other) {
  auto parts = std::move(client).split();
  std::optional<write_half<tcp::socket>> writes(std::move(parts.second));
  run(context, [&]() -> asio::awaitable<void> {
    writes.reset();
    auto const [code, nothing] = co_await read_to_end(server);
    BOOST_TEST(code == asio::error::eof);
    co_await server.async_write(asio::buffer("x", 1));
    char one = 0;
    BOOST_TEST(co_await parts.first.async_read_some(asio::buffer(&one, 1)) == 1u);
  }());
}

BOOST_AUTO_TEST_CASE(a_half_that_is_destroyed_aborts_its_own_operation_and_no_other) {
  auto parts = std::move(client).split();
  std::optional<read_half<tcp::socket>> reads(std::move(parts.first));
  char one = 0;
  error_code read;
  reads->async_read_some(asio::buffer(&one, 1), [&](error_code code, std::size_t) { read = code; });
  server.next_layer().set_option(asio::socket_base::receive_buffer_size(200'000));
  std::string const text = pattern(8'000'000);
  error_code written = asio::error::fault;
  parts.second.async_write(asio::buffer(text),
                           [&](error_code code, std::size_t) { written = code; });
  context.restart();
  context.poll();
  reads.reset();
  run(context, [&]() -> asio::awaitable<void> {
    std::string received(text.size(), '\0');
    co_await asio::async_read(server, asio::buffer(received), asio::use_awaitable);
    BOOST_TEST((received == text));
  }());
  BOOST_TEST(read == asio::error::operation_aborted);
  BOOST_TEST(!written);
}

BOOST_AUTO_TEST_CASE(the_connection_ends_when_both_halves_are_gone) {
  {
    auto const parts = std::move(client).split();
  }
  run(context, [&]() -> asio::awaitable<void> {
    char one = 0;
    auto const [code, count] = co_await server.async_read_some(asio::buffer(&one, 1), as_result);
    BOOST_TEST(code);
  }());
}

BOOST_AUTO_TEST_CASE(truncation_is_an_end_where_the_stream_is_told_so) {
  server.tolerate_truncation();
  run(context, [&]() -> asio::awaitable<void> {
    co_await client.async_write(asio::buffer("half", 4));
    client.next_layer().shutdown(tcp::socket::shutdown_send);
    auto const [code, text] = co_await read_to_end(server);
    BOOST_TEST(code == asio::error::eof);
    BOOST_TEST(text == "half");
  }());
}

BOOST_AUTO_TEST_CASE(a_transport_in_use_is_not_given_back) {
  BOOST_CHECK_EXCEPTION(client.release(), error,
                        [](error const& thrown) { return thrown.code() == errc::not_over; });
  BOOST_TEST(static_cast<bool>(client));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(transport, sockets)

BOOST_AUTO_TEST_CASE(after_a_full_shutdown_the_transport_is_given_back_with_no_byte_lost) {
  tcp_stream client(std::move(left), localhost_client(), to_localhost());
  tcp_stream server(std::move(right), localhost_server());
  client.set_read_ahead(false);
  server.set_read_ahead(false);
  run(context, [&]() -> asio::awaitable<void> {
    co_await shake_hands(client, server);
    co_await client.async_write(asio::buffer("secret", 6));
    co_await client.async_close_write();
    std::string text(6, '\0');
    co_await asio::async_read(server, asio::buffer(text), asio::use_awaitable);
    co_await server.async_close_write();
    // In the clear, right behind close_notify: they may arrive in one piece.
    co_await asio::async_write(server.next_layer(), asio::buffer("in the clear", 12),
                               asio::use_awaitable);
    co_await client.async_shutdown();
    auto [socket, unread] = client.release();
    BOOST_TEST(!client);
    BOOST_TEST(unread.empty());
    std::string clear(12, '\0');
    co_await asio::async_read(socket, asio::buffer(clear), asio::use_awaitable);
    BOOST_TEST(clear == "in the clear");
  }());
}

BOOST_AUTO_TEST_CASE(bytes_that_were_read_ahead_are_not_lost_in_silence) {
  tcp_stream client(std::move(left), localhost_client(), to_localhost());
  tcp_stream server(std::move(right), localhost_server());
  run(context, [&]() -> asio::awaitable<void> {
    co_await shake_hands(client, server);
    co_await server.async_close_write();
    co_await asio::async_write(server.next_layer(), asio::buffer("in the clear", 12),
                               asio::use_awaitable);
    while (client.next_layer().available() < 12) co_await asio::post(asio::use_awaitable);
    auto const [code] = co_await client.async_shutdown(as_result);
    BOOST_TEST(!code);
    BOOST_CHECK_EXCEPTION(client.release(), error,
                          [](error const& thrown) { return thrown.code() == errc::read_ahead; });
  }());
}

BOOST_AUTO_TEST_CASE(bytes_received_before_the_stream_was_made_are_handed_in) {
  // As after STARTTLS: the client hello came together with what was read before it.
  engine client(localhost_client(), to_localhost());
  client.handshake();
  std::string early(static_cast<char const*>(client.output().data()), client.output().size());
  client.consume_output(early.size());
  tcp_stream server(std::move(right), localhost_server());
  server.give_input(asio::buffer(early));
  run(context, [&]() -> asio::awaitable<void> {
    auto shaking = [&]() -> asio::awaitable<void> {
      std::string arrived(8192, '\0');
      while (client.handshake().want == want::input) {
        auto const count =
            co_await left.async_read_some(asio::buffer(arrived), asio::use_awaitable);
        client.input(asio::buffer(arrived, count));
      }
      co_await asio::async_write(left, client.output(), asio::use_awaitable);
    };
    co_await (server.async_handshake(asio::use_awaitable) && shaking());
    BOOST_TEST(server.info().version == "TLSv1.3");
  }());
}

BOOST_AUTO_TEST_CASE(after_a_failed_handshake_the_transport_is_given_back) {
  tcp_stream server(std::move(right), localhost_server());
  server.give_input(asio::buffer("HELO mail.example\r\n", 19));
  run(context, [&]() -> asio::awaitable<void> {
    auto const [code] = co_await server.async_handshake(as_result);
    BOOST_TEST((code.category() == openssl_category()));
    auto [socket, unread] = server.release();
    BOOST_TEST(socket.is_open());
    BOOST_TEST(text_of(unread) == "HELO mail.example\r\n");
    co_await asio::async_write(socket, asio::buffer("sorry\r\n", 7), asio::use_awaitable);
  }());
}

BOOST_DATA_TEST_CASE(of_a_peer_that_speaks_no_tls_no_byte_is_lost, data::make({1u, 3u, 40u}),
                     together) {
  std::string const said = "220 mail.example ESMTP ready, and so much for TLS\r\n";
  tcp_stream client(std::move(left), localhost_client(), to_localhost());
  run(context, [&]() -> asio::awaitable<void> {
    asio::write(right, asio::buffer(said, together));
    asio::post(context, [&] { asio::write(right, asio::buffer(said) + together); });
    auto const [code] = co_await client.async_handshake(as_result);
    BOOST_TEST((code.category() == openssl_category()));
    auto [socket, unread] = client.release();
    std::string heard = text_of(unread);
    std::string rest(said.size() - heard.size(), '\0');
    co_await asio::async_read(socket, asio::buffer(rest), asio::use_awaitable);
    BOOST_TEST(heard + rest == said);
  }());
}

BOOST_AUTO_TEST_CASE(a_transport_in_memory_is_given_back_too) {
  auto [near, far] = memory_stream::make_pair(context.get_executor());
  stream<memory_stream> client(std::move(near), localhost_client(), to_localhost());
  stream<memory_stream> server(std::move(far), localhost_server());
  client.set_read_ahead(false);
  server.set_read_ahead(false);
  run(context, [&]() -> asio::awaitable<void> {
    co_await shake_hands(client, server);
    co_await shut_down(client, server);
    auto [plain_left, unread_left] = client.release();
    auto [plain_right, unread_right] = server.release();
    co_await plain_left.async_write_some(asio::buffer("plain", 5), asio::use_awaitable);
    std::string text(5, '\0');
    co_await plain_right.async_read_some(asio::buffer(text), asio::use_awaitable);
    BOOST_TEST(text == "plain");
  }());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::parts_test
