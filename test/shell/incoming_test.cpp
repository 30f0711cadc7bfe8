// Connections before their handshake: what the client hello tells, and how they are handed out.

#include "incoming_fixture.hpp"
#include "print.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <future>
#include <optional>
#include <string>
#include <vector>

namespace cotls::test::incoming_test {

namespace {

std::size_t number_at(std::string const& bytes, std::size_t at) {
  return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at])) << 8 |
         static_cast<unsigned char>(bytes[at + 1]);
}

void put_number(std::string& bytes, std::size_t at, std::size_t value) {
  bytes[at] = static_cast<char>(value >> 8);
  bytes[at + 1] = static_cast<char>(value & 0xff);
}

// A hello of one record, in which an extension says something else (RFC 8446 section 4.1.2).
std::string with_extension(std::string hello, unsigned type, std::string const& body) {
  std::size_t all = 5 + 4 + 2 + 32;   // behind the headers, the version and the random
  all += 1 + static_cast<unsigned char>(hello[all]);
  all += 2 + number_at(hello, all);
  all += 1 + static_cast<unsigned char>(hello[all]);
  std::size_t one = all + 2;
  while (number_at(hello, one) != type) one += 4 + number_at(hello, one + 2);
  std::size_t const size = number_at(hello, one + 2);
  hello.replace(one + 4, size, body);
  put_number(hello, one + 2, body.size());
  for (std::size_t const length : {all, std::size_t{7}, std::size_t{3}}) {
    put_number(hello, length, number_at(hello, length) + body.size() - size);
  }
  return hello;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(incoming_connections, incoming_fixture)

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
    BOOST_TEST(offers(hello.extensions, 0x0000));
    BOOST_TEST(offers(hello.extensions, 0x0010));
    BOOST_TEST(!offers(hello.extensions, 0x4469));
    BOOST_TEST(hello.session_id.size() == 32u);   // RFC 8446 appendix D.4
    BOOST_TEST(hello.ja4().starts_with("t13d"));
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
  server = listener(context.get_executor(), any_port(),
                    localhost_server().set_max_client_hello(60'000));
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

BOOST_AUTO_TEST_CASE(a_list_without_anything_in_it_makes_no_sense_either) {
  using namespace std::string_literals;
  raw_client const client(localhost_client(), to_localhost().alpn("h2"));
  std::vector<std::pair<unsigned, std::string>> const empty{
      {10, "\0\0"s}, {13, "\0\0"s}, {16, "\0\0"s}, {16, "\0\3\0\1x"s}, {43, "\0"s}};
  for (auto const& [type, body] : empty) {
    run(context, [&]() -> asio::awaitable<void> {
      auto [socket, accepted] = co_await pair();
      co_await send(socket, with_extension(client.hello(), type, body));
      client_hello const read = co_await accepted.async_client_hello();
      BOOST_TEST(!read.well_formed);
      BOOST_TEST(read.server_name == "localhost");
      BOOST_TEST(read.alpn.empty() == (type == 16));
      auto const [code, none] = co_await accepted.async_handshake(as_result);
      BOOST_TEST((code.category() == openssl_category()));
    }());
  }
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

BOOST_FIXTURE_TEST_SUITE(both_kinds_of_accept, incoming_fixture)

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

}  // namespace cotls::test::incoming_test
