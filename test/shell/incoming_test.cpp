// Connections before their handshake: what the client hello tells, and what becomes of peers that
// send none.

#include "print.hpp"
#include "tls.hpp"

#include <cotls/engine.hpp>
#include <cotls/incoming.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <vector>

namespace cotls::test {

using namespace asio::experimental::awaitable_operators;

namespace {

client_options to_localhost() { return client_options().host("localhost"); }

/// A client without a socket, whose first flight a test may take apart.
class raw_client {
 public:
  explicit raw_client(client_context const& context = localhost_client(),
                      client_options const& options = to_localhost())
      : engine_(context, options) {
    engine_.handshake();
    auto const output = engine_.output();
    hello_.assign(static_cast<char const*>(output.data()), output.size());
    engine_.consume_output(output.size());
  }

  std::string const& hello() const noexcept { return hello_; }

  /// The hello in records of so many bytes each.
  std::string hello_in_records(std::size_t size) const {
    std::string message;
    for (std::size_t at = 0; at < hello_.size();) {
      std::size_t const length = static_cast<std::size_t>(byte(at + 3)) << 8 | byte(at + 4);
      message += hello_.substr(at + 5, length);
      at += 5 + length;
    }
    std::string records;
    for (std::size_t at = 0; at < message.size(); at += size) {
      std::string const piece = message.substr(at, size);
      records += "\x16\x03\x01";
      records += static_cast<char>(piece.size() >> 8);
      records += static_cast<char>(piece.size() & 0xff);
      records += piece;
    }
    return records;
  }

  /// Goes on with the handshake over a socket, and reads one byte.
  asio::awaitable<char> finish(tcp::socket& socket) {
    char one = 0;
    for (bool done = false;;) {
      step const next = done ? engine_.read(asio::buffer(&one, 1)) : engine_.handshake();
      co_await asio::async_write(socket, engine_.output(), asio::use_awaitable);
      engine_.consume_output(engine_.output().size());
      if (next.error) throw boost::system::system_error(next.error);
      if (done && next.bytes == 1) co_return one;
      if (!done && next.want == want::nothing) {
        done = true;
        continue;
      }
      std::string received(4096, '\0');
      std::size_t const size =
          co_await socket.async_read_some(asio::buffer(received), asio::use_awaitable);
      engine_.input(asio::buffer(received, size));
    }
  }

 private:
  unsigned byte(std::size_t at) const { return static_cast<unsigned char>(hello_[at]); }

  engine engine_;
  std::string hello_;
};

struct fixture {
  asio::io_context context;
  listener server{context.get_executor(), any_port(), localhost_server(),
                  listener_options().handshake_timeout(10s)};

  void limit(std::chrono::steady_clock::duration time) {
    server = listener(context.get_executor(), any_port(), localhost_server(),
                      listener_options().handshake_timeout(time));
  }

  asio::awaitable<tcp_stream> connect() {
    client_context const with = localhost_client();
    co_return co_await async_connect("localhost", server.port(), with);
  }

  // A client that only TCP knows of, and what was accepted of it.
  asio::awaitable<std::pair<tcp::socket, incoming>> pair() {
    tcp::socket client(context);
    auto accepted = co_await (server.async_accept_incoming(asio::use_awaitable) &&
                              client.async_connect(server.local_endpoint(), asio::use_awaitable));
    co_return std::pair(std::move(client), std::move(accepted));
  }
};

asio::awaitable<void> send(tcp::socket& to, std::string const& bytes) {
  co_await asio::async_write(to, asio::buffer(bytes), asio::use_awaitable);
}

std::string text_of(std::vector<std::byte> const& bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

// The handshake of what was accepted and the rest of the client's, with a byte at the end.
asio::awaitable<void> finish(raw_client& client, tcp::socket& socket, incoming& accepted) {
  auto serving = [&]() -> asio::awaitable<void> {
    tcp_stream made = co_await accepted.async_handshake();
    co_await made.async_write(asio::buffer("x", 1));
  };
  auto const one = co_await (client.finish(socket) && serving());
  BOOST_TEST(one == 'x');
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(incoming_connections, fixture)

BOOST_AUTO_TEST_CASE(the_hello_tells_what_the_client_offers) {
  client_context const with = localhost_client();
  auto connecting = [&]() -> asio::awaitable<tcp_stream> {
    co_return co_await async_connect(
        "127.0.0.1", server.port(), with,
        connect_options().verify_host("LocalHost").alpn("h2", "http/1.1"));
  };
  auto accepting = [&]() -> asio::awaitable<tcp_stream> {
    incoming accepted = co_await server.async_accept_incoming();
    BOOST_TEST(accepted.peer_endpoint().address().is_loopback());
    BOOST_TEST((accepted.local_endpoint() == server.local_endpoint()));
    client_hello const hello = co_await accepted.async_client_hello();
    BOOST_TEST(hello.server_name == "localhost");   // in lower case
    BOOST_TEST((hello.alpn == std::vector<std::string>{"h2", "http/1.1"}));
    BOOST_TEST(hello.offers_alpn("h2"));
    BOOST_TEST(!hello.offers_alpn("h3"));
    BOOST_TEST((hello.versions == std::vector<std::uint16_t>{0x0304, 0x0303}));
    auto const offers = [](std::vector<std::uint16_t> const& list, std::uint16_t value) {
      return std::find(list.begin(), list.end(), value) != list.end();
    };
    BOOST_TEST(offers(hello.cipher_suites, 0x1301));
    BOOST_TEST(offers(hello.groups, 0x001d));
    BOOST_TEST(offers(hello.signature_algorithms, 0x0403));
    BOOST_TEST(hello.well_formed);
    co_return co_await accepted.async_handshake();
  };
  run(context, [&]() -> asio::awaitable<void> {
    auto [to_client, to_server] = co_await (accepting() && connecting());
    co_await to_client.async_write(asio::buffer("x", 1));
    char one = 0;
    co_await to_server.async_read_some(asio::buffer(&one, 1));
    BOOST_TEST(one == 'x');
  }());
}

BOOST_AUTO_TEST_CASE(a_client_of_tls_1_2_names_its_latest_version_alone) {
  raw_client client(localhost_client(protocol::tls1_2));
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    co_await send(socket, client.hello());
    client_hello const hello = co_await accepted.async_client_hello();
    BOOST_TEST((hello.versions == std::vector<std::uint16_t>{0x0303}));
    co_await finish(client, socket, accepted);
  }());
}

BOOST_AUTO_TEST_CASE(a_hello_in_records_and_segments_of_one_byte_is_read_whole) {
  raw_client client;
  std::string const records = client.hello_in_records(1);
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    socket.set_option(tcp::no_delay(true));
    std::optional<client_hello> hello;
    accepted.async_client_hello([&](error_code code, client_hello made) {
      BOOST_TEST(!code);
      hello = std::move(made);
    });
    for (char const& each : records) {
      BOOST_REQUIRE(!hello);
      co_await asio::async_write(socket, asio::buffer(&each, 1), asio::use_awaitable);
    }
    while (!hello) co_await asio::post(asio::use_awaitable);
    BOOST_TEST(hello->server_name == "localhost");
    co_await finish(client, socket, accepted);
  }());
}

BOOST_AUTO_TEST_CASE(a_hello_may_be_longer_than_a_record) {
  client_context with = localhost_client();
  std::vector<std::string> const names(200, std::string(250, 'x'));
  with.set_alpn(names);
  raw_client client(with);
  BOOST_REQUIRE(client.hello().size() > 50'000u);
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    client_hello const hello = co_await (accepted.async_client_hello(asio::use_awaitable) &&
                                         send(socket, client.hello()));
    BOOST_TEST((hello.alpn == names));
    co_await finish(client, socket, accepted);
  }());
}

BOOST_AUTO_TEST_CASE(the_hello_is_the_same_when_it_is_asked_for_again) {
  raw_client client;
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    co_await send(socket, client.hello());
    client_hello const first = co_await accepted.async_client_hello();
    client_hello const second = co_await accepted.async_client_hello();
    BOOST_TEST(first.server_name == second.server_name);
    BOOST_TEST((first.cipher_suites == second.cipher_suites));
    co_await finish(client, socket, accepted);
  }());
}

BOOST_AUTO_TEST_CASE(an_extension_that_makes_no_sense_is_left_out_and_the_handshake_refused) {
  raw_client client;
  std::string hello = client.hello();
  hello[hello.find("localhost") - 3] = 7;   // a type of name that nobody knows
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    co_await send(socket, hello);
    client_hello const read = co_await accepted.async_client_hello();
    BOOST_TEST(!read.well_formed);
    BOOST_TEST(read.server_name.empty());
    BOOST_TEST(!read.cipher_suites.empty());
    auto const [code, none] = co_await accepted.async_handshake(as_result);
    BOOST_TEST(code);
    BOOST_TEST(!none);
  }());
}

BOOST_AUTO_TEST_CASE(a_hello_in_the_form_of_ssl_2_is_understood) {
  using namespace std::string_literals;
  std::string const hello = "\x80\x1f\x01\x03\x03\x00\x06\x00\x00\x00\x10"
                            "\x00\x00\x2f\x00\x13\x01"
                            "0123456789abcdef"s;
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    co_await send(socket, hello);
    client_hello const read = co_await accepted.async_client_hello();
    BOOST_TEST((read.cipher_suites == std::vector<std::uint16_t>{0x002f, 0x1301}));
    BOOST_TEST((read.versions == std::vector<std::uint16_t>{0x0303}));
  }());
}

BOOST_AUTO_TEST_CASE(every_kind_of_token_will_do) {
  raw_client client;
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    co_await send(socket, client.hello());
    auto const [code, hello] = co_await accepted.async_client_hello(as_result);
    BOOST_TEST(!code);
    error_code redirected;
    auto const again = co_await accepted.async_client_hello(
        asio::redirect_error(asio::use_awaitable, redirected));
    BOOST_TEST(again.server_name == "localhost");
    auto const third =
        co_await accepted.async_client_hello(asio::as_tuple(asio::deferred));
    BOOST_TEST(std::get<1>(third).server_name == "localhost");
    std::future<tcp_stream> made = accepted.async_handshake(asio::use_future);
    BOOST_TEST(!accepted);
    auto const finished = [&]() -> asio::awaitable<tcp_stream> {
      while (made.wait_for(0s) != std::future_status::ready) {
        co_await asio::post(asio::use_awaitable);
      }
      tcp_stream stream = made.get();
      co_await stream.async_write(asio::buffer("x", 1));
      co_return stream;
    };
    auto const [one, stream] = co_await (client.finish(socket) && finished());
    BOOST_TEST(one == 'x');
  }());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(incoming_trouble, fixture)

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
    BOOST_TEST(code.category().name() == std::string("ssl"));
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
    co_await send(client, "\x16\x03\x01\x00\x04\x01\x01\x00\x00"s);   // 65,536 bytes
    std::string piece;
    for (int i = 0; i < 1000; ++i) piece += "\x16\x03\x01\x00\x01x"s;
    std::size_t sent = 0;
    while (!code && sent < 300'000) {
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

BOOST_AUTO_TEST_CASE(operations_do_not_overlap_and_none_comes_after_the_handshake) {
  run(context, [&]() -> asio::awaitable<void> {
    incoming empty;
    auto const [none, nothing] = co_await empty.async_client_hello(as_result);
    BOOST_TEST(none == errc::not_connected);
    BOOST_CHECK_EXCEPTION(empty.release(), error,
                          [](error const& e) { return e.code() == errc::not_connected; });
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
  }());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(both_kinds_of_accept, fixture)

BOOST_AUTO_TEST_CASE(they_are_served_in_the_order_in_which_they_were_asked) {
  std::string order;
  for (bool const stream_first : {true, false}) {
    limit(10s);
    for (bool const incoming_now : {!stream_first, stream_first}) {
      if (incoming_now) {
        server.async_accept_incoming([&](error_code, incoming) { order += 'i'; });
      } else {
        server.async_accept([&](error_code, tcp_stream) { order += 's'; });
      }
    }
    run(context, [&]() -> asio::awaitable<void> {
      std::size_t const before = order.size();
      if (stream_first) tcp_stream const whole = co_await connect();
      tcp::socket plain(context);
      if (!stream_first) co_await plain.async_connect(server.local_endpoint(), asio::use_awaitable);
      while (order.size() == before) co_await asio::post(asio::use_awaitable);
      if (!stream_first) tcp_stream const whole = co_await connect();
      if (stream_first) co_await plain.async_connect(server.local_endpoint(), asio::use_awaitable);
      while (order.size() == before + 1) co_await asio::post(asio::use_awaitable);
      server.close();
    }());
  }
  BOOST_TEST(order == "siis");
}

BOOST_AUTO_TEST_CASE(a_silent_client_of_one_accept_does_not_hold_up_the_next) {
  std::optional<incoming> accepted;
  server.async_accept([](error_code, tcp_stream) {});
  server.async_accept_incoming([&](error_code, incoming made) { accepted = std::move(made); });
  run(context, [&]() -> asio::awaitable<void> {
    tcp::socket silent(context);
    co_await silent.async_connect(server.local_endpoint(), asio::use_awaitable);
    tcp::socket second(context);
    co_await second.async_connect(server.local_endpoint(), asio::use_awaitable);
    while (!accepted) co_await asio::post(asio::use_awaitable);
    BOOST_TEST((accepted->peer_endpoint() == second.local_endpoint()));
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(after_an_incoming_one_connections_wait_untouched) {
  for (bool const as_incoming : {true, false}) {
    limit(10s);
    run(context, [&]() -> asio::awaitable<void> {
      asio::cancellation_signal signal;
      std::optional<error_code> cancelled;
      server.async_accept_incoming(asio::bind_cancellation_slot(
          signal.slot(), [&](error_code code, incoming) { cancelled = code; }));
      co_await asio::post(asio::use_awaitable);
      signal.emit(asio::cancellation_type::terminal);
      raw_client client;
      tcp::socket socket(context);
      co_await socket.async_connect(server.local_endpoint(), asio::use_awaitable);
      co_await send(socket, client.hello());
      for (int i = 0; i < 20; ++i) co_await asio::post(asio::use_awaitable);
      BOOST_TEST(*cancelled == asio::error::operation_aborted);
      BOOST_TEST(socket.available() == 0u);
      if (as_incoming) {
        incoming accepted = co_await server.async_accept_incoming();
        co_await finish(client, socket, accepted);
      } else {
        auto serving = [&]() -> asio::awaitable<void> {
          tcp_stream made = co_await server.async_accept();
          co_await made.async_write(asio::buffer("x", 1));
        };
        BOOST_TEST(co_await (client.finish(socket) && serving()) == 'x');
      }
      server.close();
    }());
  }
}

BOOST_AUTO_TEST_CASE(closing_ends_accepts_of_both_kinds_and_not_what_was_handed_out) {
  std::vector<error_code> codes;
  run(context, [&]() -> asio::awaitable<void> {
    raw_client client;
    auto [socket, accepted] = co_await pair();
    server.async_accept_incoming([&](error_code code, incoming) { codes.push_back(code); });
    server.async_accept([&](error_code code, tcp_stream) { codes.push_back(code); });
    server.async_wait_ready([&](error_code code) { codes.push_back(code); });
    server.close();
    co_await send(socket, client.hello());
    co_await accepted.async_client_hello();
    co_await finish(client, socket, accepted);
  }());
  BOOST_TEST(codes.size() == 3u);
  for (auto const& code : codes) BOOST_TEST(code == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(a_listener_without_certificate_hands_out_incoming_connections) {
  server = listener(context.get_executor(), any_port(), protocol::secure);
  raw_client client;
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    co_await send(socket, client.hello());
    auto const [code, none] = co_await accepted.async_handshake(as_result);
    BOOST_TEST(code == errc::no_certificate);
    server_context const chosen = localhost_server();
    auto serving = [&]() -> asio::awaitable<void> {
      tcp_stream made = co_await accepted.async_handshake(chosen);
      co_await made.async_write(asio::buffer("x", 1));
    };
    BOOST_TEST(co_await (client.finish(socket) && serving()) == 'x');
  }());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test
