// What the pages' blocks define, called over loopback.

#include "key_elsewhere.hpp"
#include "prelude.hpp"
#include "print.hpp"
#include "ssl_streams.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>

namespace cotls::test::guide_test {

namespace server {
#include "echo.inc"
}

#include "ask_keeper.inc"
#include "both_ways.inc"
#include "read_all.inc"
#include "upgrade.inc"

BOOST_AUTO_TEST_SUITE(guide)

BOOST_AUTO_TEST_CASE(both_ways_at_once_all_comes_back) {
  connected ends;
  std::string heard;
  asio::co_spawn(ends.context, server::session(std::move(ends.server)), asio::detached);
  run(ends.context, [&]() -> asio::awaitable<void> {
    heard = co_await both_ways(std::move(ends.client));
  }());
  BOOST_TEST(heard == "one\ntwo\n");
}

BOOST_AUTO_TEST_CASE(a_keeper_is_asked_for_a_signature_over_tcp) {
  key_elsewhere const far("P-256");
  asio::io_context context;
  tcp::acceptor keeper(context, any_port());
  std::size_t asked = 0;
  bool signs = false;
  auto const keep = [&]() -> asio::awaitable<void> {
    tcp::socket client = co_await keeper.async_accept(asio::use_awaitable);
    std::string digest;
    auto [end, n] = co_await asio::async_read(client, asio::dynamic_buffer(digest), as_result);
    asked = n;
    std::string const made(64, 'x');
    co_await asio::async_write(client, asio::buffer(made), asio::use_awaitable);
  };
  asio::co_spawn(context, keep(), asio::detached);
  run(context, [&]() -> asio::awaitable<void> {
    signature_request const request(signature_scheme::ecdsa_secp256r1_sha256, {1, 2, 3});
    auto const made = co_await ask_keeper(keeper.local_endpoint(), request);
    signs = made == signer::signature(64, 'x');
  }());
  BOOST_TEST(asked == 32u);   // the digest
  BOOST_TEST(signs);
  BOOST_TEST(kept_by(keeper.local_endpoint(), far.leaf()).kind() == "EC P-256");
}

BOOST_AUTO_TEST_CASE(all_is_read_until_the_peer_says_goodbye) {
  connected ends;
  std::string heard;
  run(ends.context, [&]() -> asio::awaitable<void> {
    co_await ends.server.async_write(asio::buffer("hello", 5));
    co_await ends.server.async_close_write();
    heard = co_await read_all(ends.client);
  }());
  BOOST_TEST(heard == "hello");
}

BOOST_AUTO_TEST_CASE(a_cut_connection_is_not_all) {
  connected ends;
  error_code cut;
  run(ends.context, [&]() -> asio::awaitable<void> {
    co_await ends.server.async_write(asio::buffer("hello", 5));
    ends.server = tcp_stream();
    try {
      co_await read_all(ends.client);
    } catch (boost::system::system_error const& thrown) {
      cut = thrown.code();
    }
  }());
  BOOST_TEST(cut == errc::stream_truncated);
}

BOOST_AUTO_TEST_CASE(a_connection_goes_up_to_tls_and_down_again) {
  asio::io_context context;
  auto sockets = connected_sockets(context);
  tcp_stream peer(std::move(sockets.second), localhost_server());
  auto talking = [&]() -> asio::awaitable<void> {
    co_await peer.async_handshake();
    co_await peer.async_write(asio::buffer("secret", 6));
    co_await peer.async_shutdown();
    co_await asio::async_write(peer.next_layer(), asio::buffer("in the clear", 12),
                               asio::use_awaitable);
  };
  spawn(context, talking());
  std::string secret;
  std::string clear(12, '\0');
  run(context, [&]() -> asio::awaitable<void> {
    std::string const nothing;
    client_context const with = localhost_client();
    tcp_stream tls = co_await upgrade(std::move(sockets.first), nothing, with);
    secret = co_await read_all(tls);
    tcp::socket socket = co_await downgrade(tls);
    co_await asio::async_read(socket, asio::buffer(clear), asio::use_awaitable);
  }());
  BOOST_TEST(secret == "secret");
  BOOST_TEST(clear == "in the clear");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::guide_test
