// A client that is refused hears why, whatever it was sending: closing over what it has sent would
// make the system send a reset, at which the client's drops the alert.

#include "blocking.hpp"
#include "incoming_fixture.hpp"
#include "print.hpp"

#include <cotls/blocking/listener.hpp>

#include <boost/asio/steady_timer.hpp>

#include <thread>

namespace cotls::test::farewell_test {

namespace {

using clock = std::chrono::steady_clock;

// What a refused client sends: a hello that the server must refuse, and data that it does not wait
// with, in segments of its own. Then it looks at the answer, late.
struct talkative_client {
  std::string hello;
  std::string data = std::string(300'000, 'x');

  asio::awaitable<std::string> talk_to(tcp::endpoint const& server, asio::io_context& context) {
    tcp::socket socket(context);
    co_await socket.async_connect(server, asio::use_awaitable);
    socket.set_option(tcp::no_delay(true));
    co_return co_await talk(socket);
  }

  asio::awaitable<std::string> talk(tcp::socket& socket) {
    co_await send(socket, hello);
    asio::steady_timer timer(socket.get_executor());
    error_code failed;
    for (std::size_t at = 0; at < data.size() && !failed; at += 10'000) {
      co_await asio::async_write(socket, asio::buffer(data.data() + at, 10'000),
                                 asio::redirect_error(asio::use_awaitable, failed));
      timer.expires_after(1ms);   // so that each is on its way when the answer is
      co_await timer.async_wait(asio::use_awaitable);
    }
    BOOST_TEST(!failed);
    std::string answer(100, '\0');
    auto const [code, size] = co_await asio::async_read(socket, asio::buffer(answer), as_result);
    BOOST_TEST(code == asio::error::eof);
    co_return answer.substr(0, size);
  }
};

std::string alert_record(alert reason) {
  using namespace std::string_literals;
  return "\x15\x03\x03\x00\x02\x02"s + static_cast<char>(reason);
}

server_context only_tls_1_3() { return localhost_server(protocol::tls1_3); }

// OpenSSL refuses its version.
talkative_client too_old() { return {raw_client(localhost_client(protocol::tls1_2)).hello()}; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(farewells, incoming_fixture)

BOOST_AUTO_TEST_CASE(a_client_that_goes_on_sending_gets_the_alert_of_a_listener) {
  std::vector<accept_failure> failures;
  server = listener(context.get_executor(), any_port(), only_tls_1_3(),
                    listener_options().observer(
                        [&](accept_failure const& failure) { failures.push_back(failure); }));
  server.async_accept([](error_code, tcp_stream) {});
  run(context, [&]() -> asio::awaitable<void> {
    auto const answer = co_await too_old().talk_to(server.local_endpoint(), context);
    BOOST_TEST(answer == alert_record(alert::protocol_version));
    server.close();
  }());
  BOOST_TEST(failures.size() == 1u);
}

BOOST_AUTO_TEST_CASE(one_that_is_refused_by_its_hello_does) {
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    talkative_client client = too_old();
    auto refusing = [&]() -> asio::awaitable<void> {
      co_await accepted.async_client_hello();
      accepted.refuse(alert::unrecognized_name);
      BOOST_TEST(!accepted);
    };
    auto const answer = co_await (client.talk(socket) && refusing());
    BOOST_TEST(answer == alert_record(alert::unrecognized_name));
  }());
}

BOOST_AUTO_TEST_CASE(one_whose_handshake_fails_behind_its_hello_does) {
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    talkative_client client = too_old();
    auto failing = [&]() -> asio::awaitable<void> {
      auto const chosen = only_tls_1_3();
      auto const [code, none] = co_await accepted.async_handshake(chosen, as_result);
      BOOST_TEST(code.category().name() == std::string("ssl"));
    };
    auto const answer = co_await (client.talk(socket) && failing());
    BOOST_TEST(answer == alert_record(alert::protocol_version));
  }());
}

BOOST_AUTO_TEST_CASE(one_whose_hello_cannot_be_read_does) {
  run(context, [&]() -> asio::awaitable<void> {
    auto [socket, accepted] = co_await pair();
    talkative_client client = too_old();
    client.hello[5] = 2;   // a ServerHello
    auto failing = [&]() -> asio::awaitable<void> {
      incoming const owned = std::move(accepted);
      auto const [code, none] = co_await const_cast<incoming&>(owned).async_client_hello(as_result);
      BOOST_TEST(code.category().name() == std::string("ssl"));
    };
    auto const answer = co_await (client.talk(socket) && failing());
    BOOST_TEST(answer == alert_record(alert::unexpected_message));
  }());
}

BOOST_AUTO_TEST_CASE(one_of_a_blocking_listener_does) {
  blocking::listener accepts("127.0.0.1", 0, only_tls_1_3());
  error_code refused;
  std::thread serving([&] { accepts.accept(refused); });
  run(context, [&]() -> asio::awaitable<void> {
    auto const answer = co_await too_old().talk_to(accepts.local_endpoint(), context);
    BOOST_TEST(answer == alert_record(alert::protocol_version));
  }());
  serving.join();
  BOOST_TEST(refused.category().name() == std::string("ssl"));
}

BOOST_AUTO_TEST_CASE(one_that_never_ends_is_cut_off) {
  server = listener(context.get_executor(), any_port(), only_tls_1_3(),
                    listener_options().handshake_timeout(200ms));
  server.async_accept([](error_code, tcp_stream) {});
  run(context, [&]() -> asio::awaitable<void> {
    tcp::socket socket(context);
    co_await socket.async_connect(server.local_endpoint(), asio::use_awaitable);
    co_await send(socket, too_old().hello);
    auto const begin = clock::now();
    error_code failed;
    asio::steady_timer timer(context);
    while (!failed) {   // until a reset answers
      co_await asio::async_write(socket, asio::buffer("x", 1),
                                 asio::redirect_error(asio::use_awaitable, failed));
      timer.expires_after(5ms);
      co_await timer.async_wait(asio::use_awaitable);
    }
    BOOST_TEST((clock::now() - begin < 5s));
    server.close();
  }());
}

// As much as it likes to send is not taken either.
BOOST_AUTO_TEST_CASE(one_that_floods_is_cut_off) {
  server = listener(context.get_executor(), any_port(), only_tls_1_3());
  server.async_accept([](error_code, tcp_stream) {});
  run(context, [&]() -> asio::awaitable<void> {
    tcp::socket socket(context);
    co_await socket.async_connect(server.local_endpoint(), asio::use_awaitable);
    co_await send(socket, too_old().hello);
    std::string const piece(100'000, 'x');
    std::size_t sent = 0;
    error_code failed;
    while (!failed && sent < 100'000'000) {
      sent += co_await asio::async_write(socket, asio::buffer(piece),
                                         asio::redirect_error(asio::use_awaitable, failed));
    }
    BOOST_TEST(failed);
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(refused_ones_keep_nobody_out) {
  server = listener(context.get_executor(), any_port(), only_tls_1_3(),
                    listener_options().max_handshakes(2).on_overload(overload::wait));
  run(context, [&]() -> asio::awaitable<void> {
    std::vector<tcp::socket> refused;
    for (int i = 0; i < 6; ++i) {
      refused.emplace_back(context);
      co_await refused.back().async_connect(server.local_endpoint(), asio::use_awaitable);
      co_await send(refused.back(), too_old().hello);
    }
    auto const begin = clock::now();
    co_await (server.async_accept(asio::use_awaitable) && connect());
    BOOST_TEST((clock::now() - begin < 1500ms));   // the others would take 2 s
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(stopping_lets_them_be_heard) {
  server = listener(context.get_executor(), any_port(), only_tls_1_3());
  bool refused = false;
  server = listener(context.get_executor(), any_port(), only_tls_1_3(),
                    listener_options().observer([&](accept_failure const&) { refused = true; }));
  server.async_accept([](error_code, tcp_stream) {});
  run(context, [&]() -> asio::awaitable<void> {
    bool heard = false;
    auto talking = [&]() -> asio::awaitable<void> {
      co_await too_old().talk_to(server.local_endpoint(), context);
      heard = true;
    };
    auto stopping = [&]() -> asio::awaitable<void> {
      while (!refused) co_await asio::post(asio::use_awaitable);
      co_await server.async_stop(5s);
    };
    co_await (talking() && stopping());
    BOOST_TEST(heard);
  }());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::farewell_test
