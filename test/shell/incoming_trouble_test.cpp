// Connections before their handshake: what becomes of those that bring no hello, or only a part of
// one, and of what is done with them at the wrong time.

#include "incoming_fixture.hpp"
#include "print.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>

#include <optional>
#include <string>
#include <thread>

namespace cotls::test::incoming_trouble_test {

BOOST_FIXTURE_TEST_SUITE(incoming_trouble, incoming_fixture)

BOOST_AUTO_TEST_CASE(a_peer_that_speaks_no_tls_is_told_apart_and_its_bytes_are_given_back) {
  std::string const request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  run(context, [&]() -> asio::awaitable<void> {
    auto [client, accepted] = co_await pair();
    co_await send(client, request);
    try {
      co_await accepted.async_client_hello();
      BOOST_ERROR("a request is no hello");
    } catch (error const& thrown) {
      BOOST_TEST(thrown.status() == status::ssl);
      std::string const text = thrown.what();
      BOOST_TEST(text.starts_with("reading the client hello failed: the client speaks plain HTTP"));
      BOOST_TEST(text == accepted.last_error().what());
    }
    auto [socket, received] = accepted.release();
    BOOST_TEST(text_of(received) == request);
    co_await send(socket, "HTTP/1.1 400 Bad Request\r\n\r\n");
    std::string answer(5, '\0');
    co_await asio::async_read(client, asio::buffer(answer), asio::use_awaitable);
    BOOST_TEST(answer == "HTTP/");
  }());
}

BOOST_AUTO_TEST_CASE(a_hello_that_openssl_refuses_is_answered_with_its_alert) {
  std::string hello = raw_client().hello();
  hello[5] = 2;   // a ServerHello
  run(context, [&]() -> asio::awaitable<void> {
    auto [client, accepted] = co_await pair();
    co_await send(client, hello);
    auto const [code, none] = co_await accepted.async_client_hello(as_result);
    BOOST_TEST(code.category().name() == std::string("ssl"));
    std::string answer(7, '\0');
    co_await asio::async_read(client, asio::buffer(answer), asio::use_awaitable);
    BOOST_TEST(answer[0] == 0x15);
    BOOST_TEST(answer[6] == static_cast<char>(alert::unexpected_message));
  }());
}

BOOST_AUTO_TEST_CASE(a_message_that_says_it_is_too_long_is_refused_at_once) {
  using namespace std::string_literals;
  run(context, [&]() -> asio::awaitable<void> {
    auto [client, accepted] = co_await pair();
    co_await send(client, "\x16\x03\x01\x00\x04\x01\x03\x00\x00"s);   // 196,608 bytes
    auto const [code, none] = co_await accepted.async_client_hello(as_result);
    BOOST_TEST(code == errc::client_hello_too_long);
    std::string answer(7, '\0');
    co_await asio::async_read(client, asio::buffer(answer), asio::use_awaitable);
    BOOST_TEST(answer[6] == static_cast<char>(alert::illegal_parameter));
  }());
}

BOOST_AUTO_TEST_CASE(what_is_kept_of_a_hello_in_tiny_records_is_bounded) {
  using namespace std::string_literals;
  run(context, [&]() -> asio::awaitable<void> {
    auto [client, accepted] = co_await pair();
    error_code code;
    accepted.async_client_hello([&](error_code failed, client_hello) { code = failed; });
    co_await send(client, "\x16\x03\x01\x00\x04\x01\x00\x3f\xff"s);   // 16,383 bytes
    std::string piece;
    for (int i = 0; i < 1000; ++i) piece += "\x16\x03\x01\x00\x01x"s;
    std::size_t sent = 0;
    while (!code && sent < 100'000) {
      co_await send(client, piece);
      sent += piece.size();
      for (int i = 0; i < 3; ++i) co_await asio::post(asio::use_awaitable);
    }
    BOOST_TEST(code == errc::client_hello_too_long);
  }());
}

BOOST_AUTO_TEST_CASE(a_silent_client_is_given_up_at_the_deadline) {
  limit(50ms);
  run(context, [&]() -> asio::awaitable<void> {
    auto [client, accepted] = co_await pair();
    auto const [code, none] = co_await accepted.async_client_hello(as_result);
    BOOST_TEST(code == errc::handshake_timeout);
  }());
}

BOOST_AUTO_TEST_CASE(a_client_that_ends_is_told_apart) {
  run(context, [&]() -> asio::awaitable<void> {
    auto [client, accepted] = co_await pair();
    co_await send(client, raw_client().hello().substr(0, 100));
    client.close();
    auto const [code, none] = co_await accepted.async_client_hello(as_result);
    BOOST_TEST(code == errc::handshake_truncated);
  }());
}

BOOST_AUTO_TEST_CASE(a_client_that_resets_is_told_apart) {
  run(context, [&]() -> asio::awaitable<void> {
    auto [client, accepted] = co_await pair();
    client.set_option(asio::socket_base::linger(true, 0));
    client.close();
    auto const [code, none] = co_await accepted.async_client_hello(as_result);
    BOOST_TEST(code == asio::error::connection_reset);
    BOOST_TEST(accepted.last_error().status() == status::syscall);
  }());
}

BOOST_AUTO_TEST_CASE(the_hello_and_the_handshake_share_one_deadline) {
  limit(50ms);
  raw_client client;
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    std::string const hello = client.hello();
    co_await send(socket, hello.substr(0, 100));
    auto const [late, none] = co_await accepted.async_client_hello(as_result);
    BOOST_TEST(late == errc::handshake_timeout);
    co_await send(socket, hello.substr(100));
    auto const begin = std::chrono::steady_clock::now();
    auto const [code, made] = co_await accepted.async_handshake(as_result);
    BOOST_TEST(code == errc::handshake_timeout);
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 40ms));
  }());
}

BOOST_AUTO_TEST_CASE(what_the_server_does_between_hello_and_handshake_does_not_count) {
  limit(500ms);
  raw_client client;
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    co_await send(socket, client.hello());
    co_await accepted.async_client_hello();
    asio::steady_timer looking_up(context, 600ms);
    co_await looking_up.async_wait(asio::use_awaitable);
    co_await finish(client, socket, accepted);
  }());
}

BOOST_AUTO_TEST_CASE(a_cancelled_hello_has_lost_no_byte) {
  raw_client client;
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    std::string const hello = client.hello();
    asio::cancellation_signal signal;
    std::optional<error_code> code;
    accepted.async_client_hello(asio::bind_cancellation_slot(
        signal.slot(), [&](error_code failed, client_hello) { code = failed; }));
    co_await send(socket, hello.substr(0, 100));
    for (int i = 0; i < 10; ++i) co_await asio::post(asio::use_awaitable);
    BOOST_TEST(!code);
    signal.emit(asio::cancellation_type::total);
    while (!code) co_await asio::post(asio::use_awaitable);
    BOOST_TEST(*code == asio::error::operation_aborted);
    co_await send(socket, hello.substr(100));
    client_hello const read = co_await accepted.async_client_hello();
    BOOST_TEST(read.server_name == "localhost");
    co_await finish(client, socket, accepted);
  }());
}

BOOST_AUTO_TEST_CASE(a_cancelled_handshake_is_over) {
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    asio::cancellation_signal signal;
    std::optional<error_code> code;
    accepted.async_handshake(asio::bind_cancellation_slot(
        signal.slot(), [&](error_code failed, tcp_stream) { code = failed; }));
    for (int i = 0; i < 10; ++i) co_await asio::post(asio::use_awaitable);
    BOOST_TEST(!code);
    signal.emit(asio::cancellation_type::total);
    while (!code) co_await asio::post(asio::use_awaitable);
    BOOST_TEST(*code == asio::error::operation_aborted);
    BOOST_TEST(!accepted);
    char byte = 0;
    auto const [end, count] = co_await socket.async_read_some(asio::buffer(&byte, 1), as_result);
    BOOST_TEST(end == asio::error::eof);
  }());
}

BOOST_AUTO_TEST_CASE(a_released_socket_and_its_bytes_serve_elsewhere) {
  raw_client client;
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    co_await send(socket, client.hello());
    co_await accepted.async_client_hello();
    auto [released, received] = accepted.release();
    BOOST_TEST(!accepted);
    BOOST_TEST(text_of(received) == client.hello());
    incoming elsewhere(std::move(released), accepted.peer_endpoint(), localhost_server());
    auto [back, nothing] = elsewhere.release();
    BOOST_TEST(nothing.empty());
    tcp_stream stream(std::move(back), localhost_server());
    stream.give_input(asio::buffer(received));
    auto serving = [&]() -> asio::awaitable<void> {
      co_await stream.async_handshake();
      co_await stream.async_write(asio::buffer("x", 1));
    };
    BOOST_TEST(co_await (client.finish(socket) && serving()) == 'x');
  }());
}

BOOST_AUTO_TEST_CASE(destroying_it_ends_what_is_pending) {
  for (bool const shaking : {false, true}) {
    raw_client const client;
    run(context, [&]() -> asio::awaitable<void> {
      auto [socket, made] = co_await pair();
      std::optional<incoming> accepted(std::move(made));
      std::optional<error_code> code;
      std::string const sent = client.hello().substr(0, shaking ? std::string::npos : 100);
      co_await send(socket, sent);
      if (shaking) {
        accepted->async_handshake([&](error_code failed, tcp_stream) { code = failed; });
      } else {
        accepted->async_client_hello([&](error_code failed, client_hello) { code = failed; });
      }
      for (int i = 0; i < 10; ++i) co_await asio::post(asio::use_awaitable);
      BOOST_TEST(!code);
      accepted.reset();
      while (!code) co_await asio::post(asio::use_awaitable);
      BOOST_TEST(*code == asio::error::operation_aborted);
    }());
  }
}

BOOST_AUTO_TEST_CASE(a_context_that_cannot_be_used_leaves_the_connection_as_it_was) {
  raw_client client;
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    co_await send(socket, client.hello());
    co_await accepted.async_client_hello();
    server_context const without;
    auto const [code, none] = co_await accepted.async_handshake(without, as_result);
    BOOST_TEST(code == errc::no_certificate);
    BOOST_TEST(static_cast<bool>(accepted));
    co_await finish(client, socket, accepted);
  }());
}

BOOST_AUTO_TEST_CASE(a_handshake_that_ends_when_its_seat_is_gone_says_so) {
  auto const room = std::make_shared<detail::handshake_room>(1, 10s);
  auto const accepted = std::make_shared<detail::establishing<tcp>>(tcp::socket(context),
                                                                    tcp::endpoint());
  accepted->begin(localhost_server(), 10s);
  accepted->take_seat(*room);
  BOOST_TEST(!accepted->begin_handshake());
  BOOST_TEST(accepted->seat()->awaits(0));
  BOOST_TEST(room->displace(detail::handshake_room::mercy::progress));
  error_code code;
  BOOST_TEST(!accepted->end_handshake(code));
  BOOST_TEST(code == errc::displaced);
}

BOOST_AUTO_TEST_CASE(a_hello_that_is_refused_beside_another_leaves_its_seat_alone) {
  using namespace std::chrono_literals;
  tcp::acceptor accepts(context, any_port());
  tcp::socket client(context);
  client.connect(accepts.local_endpoint());
  auto const room = std::make_shared<detail::handshake_room>(1, 10s, 0ms);
  auto const state =
      std::make_shared<detail::establishing<tcp>>(accepts.accept(), tcp::endpoint());
  state->begin(localhost_server(), 10s);
  state->take_seat(*room);
  incoming asked(state);
  error_code first;
  error_code second;
  asked.async_client_hello([&](error_code code, client_hello const&) { first = code; });
  asked.async_client_hello([&](error_code code, client_hello const&) { second = code; });
  context.poll();
  BOOST_TEST(second == errc::operation_in_progress);
  // The client has sent nothing, and gives way: the seat is not held by whoever was refused.
  BOOST_TEST(room->displace(detail::handshake_room::mercy::progress));
  run_for(context);
  BOOST_TEST(first == errc::displaced);
}

BOOST_AUTO_TEST_CASE(operations_do_not_overlap_and_none_comes_after_the_handshake) {
  run(context, [&]() -> asio::awaitable<void> {
    incoming empty;
    auto const [none, nothing] = co_await empty.async_client_hello(as_result);
    BOOST_TEST(none == errc::not_connected);
    std::thread::id completed_by;
    empty.async_handshake(
        [&](error_code, tcp_stream) { completed_by = std::this_thread::get_id(); });
    BOOST_TEST((completed_by == std::this_thread::get_id()));
    auto const unconnected = [](error const& e) { return e.code() == errc::not_connected; };
    BOOST_CHECK_EXCEPTION(empty.release(), error, unconnected);
    BOOST_CHECK_EXCEPTION(empty.next_layer(), error, unconnected);
    auto [socket, accepted] = co_await pair();
    accepted.async_client_hello([](error_code, client_hello) {});
    auto const [second, no_hello] = co_await accepted.async_client_hello(as_result);
    BOOST_TEST(second == errc::operation_in_progress);
    auto const [third, no_stream] = co_await accepted.async_handshake(as_result);
    BOOST_TEST(third == errc::operation_in_progress);
    BOOST_CHECK_EXCEPTION(accepted.release(), error, [](error const& e) {
      return e.code() == errc::operation_in_progress;
    });
    auto [other_socket, other] = co_await pair();
    other.async_handshake([](error_code, tcp_stream) {});
    auto const [late, no_more] = co_await other.async_client_hello(as_result);
    BOOST_TEST(late == errc::not_connected);
    auto const [later, no_other] = co_await other.async_handshake(as_result);
    BOOST_TEST(later == errc::not_connected);
    BOOST_CHECK_EXCEPTION(other.next_layer(), error, unconnected);
    auto [third_socket, refused] = co_await pair();
    refused.refuse(alert::access_denied);
    BOOST_CHECK_EXCEPTION(refused.next_layer(), error, unconnected);
  }());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::incoming_trouble_test
