// Key updates and late authentication over sockets, awaited and on the calling thread.

#include "blocking.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "ssl_streams.hpp"
#include "tls.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <array>
#include <atomic>
#include <future>
#include <string>

namespace cotls::test::late_test {

namespace {

using namespace asio::experimental::awaitable_operators;

authority const& root() {
  static authority const made("root");
  return made;
}

client_context ada(protocol version = protocol::secure) {
  return localhost_client(version)
      .use(root().issue(certificate_request({"ada"}).use(purpose::client)).identity())
      .set_late_authentication();
}

server_context asking() {
  return localhost_server().set_verify(verify::optional).add_root(root().certificate())
      .set_late_authentication();
}

struct fixture {
  asio::io_context context;

  // A connection of these contexts, in the hands of one coroutine each. Whoever is done says
  // goodbye, and stays: one that is closed over an unread key update resets the other (T15).
  template <class AtClient, class AtServer>
  void with(client_context const& client, server_context const& server, AtClient at_client,
            AtServer at_server) {
    listener accepts(context.get_executor(), any_port(), server);
    tcp_stream accepted;
    tcp_stream connected;
    auto accepting = [&]() -> asio::awaitable<void> {
      accepted = co_await accepts.async_accept();
      co_await at_server(accepted);
      co_await accepted.async_close_write(as_result);
    };
    auto connecting = [&]() -> asio::awaitable<void> {
      connected = co_await async_connect("127.0.0.1", accepts.port(), client);
      co_await at_client(connected);
      co_await connected.async_close_write(as_result);
    };
    run(context, [&]() -> asio::awaitable<void> {
      co_await (accepting() && connecting());
      accepts.close();
    }());
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(late, fixture)

BOOST_AUTO_TEST_CASE(a_key_is_changed_while_data_goes_both_ways) {
  std::string const text = pattern(200'000);
  auto both_ways = [&](tcp_stream& stream) -> asio::awaitable<void> {
    auto writing = [&]() -> asio::awaitable<void> {
      for (int i = 0; i < 5; ++i) {
        co_await stream.async_write(asio::buffer(text));
        co_await stream.async_update_key(i % 2 == 0 ? key_update::requested
                                                    : key_update::not_requested);
      }
    };
    auto reading = [&]() -> asio::awaitable<void> {
      for (int i = 0; i < 5; ++i) {
        std::string const got = co_await receive(stream, text.size());
        BOOST_TEST((got == text));
      }
    };
    co_await (writing() && reading());
  };
  std::atomic<int> updates = 0;
  auto const count = [&](traced_message const& said) {
    updates += said.name == "key_update" && said.by == traced_message::direction::received;
  };
  with(localhost_client(), localhost_server().set_trace(count), both_ways, both_ways);
  BOOST_TEST(updates >= 4);
}

BOOST_AUTO_TEST_CASE(a_key_update_has_left_before_anything_is_written) {
  auto idle = [](tcp_stream& stream) -> asio::awaitable<void> {
    co_await stream.async_update_key(key_update::not_requested);
    std::string const got = co_await receive(stream, 1);
    BOOST_TEST(got == "x");
  };
  std::atomic<bool> seen = false;
  auto const look = [&](traced_message const& said) { seen = seen || said.name == "key_update"; };
  auto waiting = [&](tcp_stream& stream) -> asio::awaitable<void> {
    std::array<char, 1> byte;
    auto reading = [&]() -> asio::awaitable<void> {
      auto const [code, size] = co_await stream.async_read_some(asio::buffer(byte), as_result);
      BOOST_TEST(size == 0u);   // the peer's end
    };
    auto answering = [&]() -> asio::awaitable<void> {
      while (!seen) co_await asio::post(asio::use_awaitable);
      co_await stream.async_write(asio::buffer("x", 1));
    };
    co_await (reading() && answering());
  };
  with(localhost_client(), localhost_server().set_trace(look), idle, waiting);
  BOOST_TEST(seen);
}

BOOST_AUTO_TEST_CASE(a_certificate_is_asked_for_between_two_requests) {
  auto at_client = [](tcp_stream& stream) -> asio::awaitable<void> {
    co_await stream.async_write(asio::buffer("private", 7));
    std::string const got = co_await receive(stream, 3);
    BOOST_TEST(got == "ada");
  };
  auto at_server = [](tcp_stream& stream) -> asio::awaitable<void> {
    std::string const wanted = co_await receive(stream, 7);
    BOOST_TEST(wanted == "private");
    BOOST_TEST(!stream.peer().certificate());
    co_await stream.async_request_certificate();
    BOOST_TEST(stream.peer().verified());
    BOOST_TEST(stream.peer().subject() == "CN=ada");
    co_await stream.async_write(asio::buffer("ada", 3));
  };
  with(ada(), asking(), at_client, at_server);
}

BOOST_AUTO_TEST_CASE(an_answer_that_does_not_come_is_waited_for_no_longer_than_a_handshake) {
  auto at_client = [](tcp_stream& stream) -> asio::awaitable<void> {
    std::string const got = co_await receive(stream, 1);   // answers first
    BOOST_TEST(got == "x");
  };
  auto at_server = [](tcp_stream& stream) -> asio::awaitable<void> {
    stream.set_handshake_timeout(0s);
    auto const [code] = co_await stream.async_request_certificate(as_result);
    BOOST_TEST(code == errc::handshake_timeout);
    co_await stream.async_write(asio::buffer("x", 1));
    stream.set_handshake_timeout(20s);
    co_await stream.async_request_certificate();
    BOOST_TEST(stream.peer().verified());
  };
  with(ada(), asking(), at_client, at_server);
}

BOOST_AUTO_TEST_CASE(a_request_that_was_cancelled_is_gone_on_with_and_not_made_again) {
  bool cancelled = false;
  int requests = 0;
  auto at_client = [&](tcp_stream& stream) -> asio::awaitable<void> {
    while (!cancelled) co_await asio::post(asio::use_awaitable);
    std::string const got = co_await receive(stream, 1);
    BOOST_TEST(got == "x");
  };
  auto at_server = [&](tcp_stream& stream) -> asio::awaitable<void> {
    error_code ended;
    stream.async_request_certificate([&](error_code code) {
      ended = code;
      cancelled = true;
    });
    stream.cancel();
    while (!cancelled) co_await asio::post(asio::use_awaitable);
    BOOST_TEST(ended == asio::error::operation_aborted);
    co_await stream.async_request_certificate();
    BOOST_TEST(stream.peer().subject() == "CN=ada");
    co_await stream.async_write(asio::buffer("x", 1));
  };
  server_context const counted = asking().set_trace([&](traced_message const& said) {
    bool const sent = said.by == traced_message::direction::sent;
    requests += sent && said.name == "certificate_request" ? 1 : 0;
  });
  with(ada(), counted, at_client, at_server);
  BOOST_TEST(requests == 1);
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_instead_of_answering_is_gone) {
  auto at_client = [](tcp_stream& stream) -> asio::awaitable<void> {
    co_await stream.async_close_write();
  };
  auto at_server = [](tcp_stream& stream) -> asio::awaitable<void> {
    auto const [code] = co_await stream.async_request_certificate(as_result);
    BOOST_TEST(code == asio::error::eof);
    BOOST_TEST(!stream.peer().verified());
  };
  with(ada(), asking(), at_client, at_server);
}

BOOST_AUTO_TEST_CASE(a_client_whom_the_last_word_refuses_then_hears_an_alert) {
  auto at_client = [](tcp_stream& stream) -> asio::awaitable<void> {
    std::array<char, 10> text;
    auto const [code, size] = co_await stream.async_read_some(asio::buffer(text), as_result);
    BOOST_TEST(code == alert::access_denied);
    BOOST_TEST(size == 0u);
  };
  auto at_server = [](tcp_stream& stream) -> asio::awaitable<void> {
    auto const [code] = co_await stream.async_request_certificate(as_result);
    BOOST_TEST(code == errc::peer_not_allowed);
    auto const [wrote, size] = co_await stream.async_write(asio::buffer("x", 1), as_result);
    BOOST_TEST(wrote == errc::peer_not_allowed);
    BOOST_TEST(size == 0u);
  };
  server_context const refusing = asking().on_established(
      [](peer_info const& peer, connection_info const&) { return !peer.certificate(); });
  with(ada(), refusing, at_client, at_server);
}

BOOST_AUTO_TEST_CASE(beside_a_read_nothing_is_asked) {
  auto at_client = [](tcp_stream& stream) -> asio::awaitable<void> {
    std::string const got = co_await receive(stream, 1);
    BOOST_TEST(got == "x");
    co_await stream.async_write(asio::buffer("y", 1));
  };
  auto at_server = [](tcp_stream& stream) -> asio::awaitable<void> {
    auto asked = [&]() -> asio::awaitable<void> {
      auto const [code] = co_await stream.async_request_certificate(as_result);
      BOOST_TEST(code == errc::operation_in_progress);
      co_await stream.async_write(asio::buffer("x", 1));
    };
    co_await (receive(stream, 1) && asked());
  };
  with(ada(), asking(), at_client, at_server);
}

BOOST_AUTO_TEST_CASE(tls_1_2_has_neither) {
  auto at_client = [](tcp_stream& stream) -> asio::awaitable<void> {
    auto const [code] = co_await stream.async_update_key(key_update::requested, as_result);
    BOOST_TEST(code == errc::needs_tls_1_3);
    co_await stream.async_write(asio::buffer("x", 1));
  };
  auto at_server = [](tcp_stream& stream) -> asio::awaitable<void> {
    std::string const got = co_await receive(stream, 1);
    BOOST_TEST(got == "x");
    auto const [code] = co_await stream.async_request_certificate(as_result);
    BOOST_TEST(code == errc::needs_tls_1_3);
  };
  with(ada(protocol::tls1_2), asking(), at_client, at_server);
}

BOOST_AUTO_TEST_CASE(on_the_calling_thread_both_are_there_too) {
  blocking::listener accepts(any_port(), asking(),
                             blocking::listen_options().accept_timeout(20s));
  auto serving = serve(accepts, [](blocking::stream& stream) {
    stream.request_certificate();
    BOOST_TEST(stream.peer().subject() == "CN=ada");
    stream.update_key(key_update::requested);
    stream.write(asio::buffer("x", 1));
    std::array<char, 1> byte;
    stream.read(asio::buffer(byte));
    BOOST_TEST(byte[0] == 'y');
  });
  blocking::stream client = blocking::connect("127.0.0.1", accepts.port(), ada());
  client.set_timeout(20s);
  std::array<char, 1> byte;
  client.read(asio::buffer(byte));
  BOOST_TEST(byte[0] == 'x');
  error_code code;
  client.request_certificate(code);
  BOOST_TEST((code == asio::error::operation_not_supported));
  client.write(asio::buffer("y", 1));
  serving.get();
}

// Whose contexts are the program's, and whose verify mode says what is asked.
BOOST_AUTO_TEST_CASE(a_program_for_asio_ssl_has_both) {
  asio::ssl::context client_side = localhost_ssl_client();
  identity const shown = root().issue(certificate_request({"ada"}).use(purpose::client)).identity();
  SSL_CTX_use_certificate(client_side.native_handle(), shown.chain().leaf().native_handle());
  SSL_CTX_use_PrivateKey(client_side.native_handle(), shown.key().native_handle());
  SSL_CTX_set_post_handshake_auth(client_side.native_handle(), 1);
  asio::ssl::context server_side = localhost_ssl_server();
  X509_STORE_add_cert(SSL_CTX_get_cert_store(server_side.native_handle()),
                      root().certificate().native_handle());
  for (bool const waits : {false, true}) {
    ssl_stream_pair pair(context, client_side, server_side);
    pair.handshake(context);
    pair.server.set_verify_mode(asio::ssl::verify_peer);
    BOOST_TEST(!pair.server.peer().certificate());
    std::array<char, 10> text;
    if (waits) {
      auto answering = std::async(std::launch::async,
                                  [&] { pair.client.read_some(asio::buffer(text)); });
      pair.server.request_certificate();
      pair.server.update_key(key_update::requested);
      pair.server.write_some(asio::buffer("x", 1));
      answering.get();
      error_code code;
      pair.client.request_certificate(code);
      BOOST_TEST(code == asio::error::operation_not_supported);
      BOOST_CHECK_THROW(pair.client.request_certificate(), error);
      BOOST_TEST(!pair.client.update_key(key_update::not_requested, code));
    } else {
      auto at_client = [&]() -> asio::awaitable<void> {
        std::string const got = co_await receive(pair.client, 1);
        BOOST_TEST(got == "x");
      };
      auto at_server = [&]() -> asio::awaitable<void> {
        co_await pair.server.async_request_certificate();
        co_await pair.server.async_update_key(key_update::requested);
        co_await asio::async_write(pair.server, asio::buffer("x", 1), asio::use_awaitable);
      };
      run(context, [&]() -> asio::awaitable<void> { co_await (at_client() && at_server()); }());
    }
    BOOST_TEST(pair.server.peer().verified());
    BOOST_TEST(pair.server.peer().subject() == "CN=ada");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::late_test
