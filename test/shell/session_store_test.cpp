// Sessions in a store of the program's, for servers and for clients: what they are resumed by, and
// that a handshake needs nothing of it.

#include "greeting_server.hpp"
#include "memory_store.hpp"
#include "pki.hpp"
#include "print.hpp"

#include <cotls/blocking.hpp>

#include <boost/asio/read.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <thread>

namespace cotls::test::session_store_test {
namespace {

namespace data = boost::unit_test::data;

auto const versions = data::make({protocol::tls1_2, protocol::tls1_3});
auto const sound = data::make({stores::at_once, stores::later});
auto const unsound = data::make({stores::nothing, stores::by_throwing, stores::throwing_later,
                                 stores::nonsense, stores::another, stores::never});

struct fixture : greeting_server {
  memory_store kept{context.get_executor()};

  ~fixture() { stop(); }   // before the store is gone

  server_context storing(protocol version = protocol::secure) const {
    return localhost_server(version).set_session_store(kept.store());
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(session_stores, fixture)

BOOST_DATA_TEST_CASE_F(fixture, a_server_resumes_what_it_has_stored, versions* sound, version,
                       way) {
  kept->way = way;
  serve(storing(version));
  client_context const client = localhost_client();
  BOOST_TEST(!call(client).resumed);
  BOOST_TEST(kept->put == 1);
  BOOST_TEST(kept->taken == 0);
  for (int again = 1; again < 4; ++again) {
    BOOST_TEST(call(client).resumed);
    BOOST_TEST(kept->taken == again);
  }
}

BOOST_DATA_TEST_CASE_F(fixture, so_does_another_with_the_same_store, versions* sound, version,
                       way) {
  kept->way = way;
  serve(storing(version));
  client_context const client = localhost_client();
  BOOST_TEST(!call(client).resumed);
  serve(storing(version));
  BOOST_TEST(call(client).resumed);
  serve(localhost_server(version));
  BOOST_TEST(!call(client).resumed);
}

BOOST_DATA_TEST_CASE_F(fixture, one_for_other_names_does_not, versions, version) {
  serve(storing(version));
  client_context const client = localhost_client();
  BOOST_TEST(!call(client).resumed);
  identity const other = make_self_signed({"localhost", "other.test"});
  serve(server_context(version).use(other).set_session_store(kept.store()));
  client_context const knowing = client_context().add_root(other.chain().leaf()).add_root(
      localhost_identity().chain().leaf());
  BOOST_TEST(!call(knowing).resumed);
  serve(storing(version));
  BOOST_TEST(!call(knowing, connect_options()).resumed);
  BOOST_TEST(call(knowing).resumed);
}

// B12
BOOST_DATA_TEST_CASE_F(fixture, a_connection_that_was_cut_is_resumed_all_the_same, versions* sound,
                       version, way) {
  kept->way = way;
  serve(storing(version));
  client_context const client = localhost_client();
  BOOST_TEST(!call(client, connect_options(), ending::cut).resumed);
  BOOST_TEST(call(client, connect_options(), ending::cut).resumed);
}

// B13
BOOST_DATA_TEST_CASE_F(fixture, a_store_that_fails_costs_a_full_handshake_and_no_more,
                       versions* unsound, version, way) {
  kept->way = way;
  serve(localhost_server(version).set_session_store(kept.store().patience(50ms)));
  client_context const client = localhost_client();
  BOOST_TEST(!call(client).resumed);
  BOOST_TEST(!call(localhost_client()).resumed);   // so that there is another's
  auto const before = std::chrono::steady_clock::now();
  BOOST_TEST(!call(client).resumed);
  BOOST_TEST((std::chrono::steady_clock::now() - before < 5s));
  BOOST_TEST(kept->taken == 1);
  BOOST_TEST(kept->running == 0);   // what was given up has ended
}

BOOST_AUTO_TEST_CASE(one_of_tls_1_3_is_resumed_once) {
  serve(storing(protocol::tls1_3));
  client_context const client = localhost_client().set_session_cache(0);
  visit const first = call(client);
  BOOST_REQUIRE(first.given.has_value());
  auto const bytes = first.given->bytes();
  auto const offering = [&] { return connect_options().session(session::from_bytes(bytes)); };
  BOOST_TEST(call(client, offering()).resumed);
  BOOST_TEST(!call(client, offering()).resumed);
}

BOOST_AUTO_TEST_CASE(a_hello_retry_request_does_not_lose_it) {
  serve(storing(protocol::tls1_3).set_groups("P-384"));
  client_context const client = localhost_client().set_groups("X25519:P-384");
  BOOST_TEST(!call(client).resumed);
  BOOST_TEST(call(client).resumed);
}

// In TLS 1.3 clients make up a number, so that they look as those of TLS 1.2 do.
BOOST_DATA_TEST_CASE_F(fixture, nobody_is_asked_for_what_is_no_number_of_ours, versions, version) {
  serve(localhost_server(version));
  client_context const client = localhost_client();
  BOOST_TEST(!call(client).resumed);   // has a ticket of another kind
  serve(storing(version));
  BOOST_TEST(!call(client).resumed);
  BOOST_TEST(kept->taken == 0);
}

BOOST_DATA_TEST_CASE_F(fixture, a_host_of_a_server_has_its_own_store, versions* sound, version,
                       way) {
  kept->way = way;
  server_context all = localhost_server();
  all.add_virtual_host("localhost", storing(version));
  serve(all);
  client_context const client = localhost_client();
  BOOST_TEST(!call(client).resumed);
  BOOST_TEST(call(client).resumed);
  BOOST_TEST(kept->taken == 1);
}

BOOST_DATA_TEST_CASE_F(fixture, a_hook_and_a_store_are_both_asked, versions* sound, version,
                       way) {
  kept->way = way;
  int asked = 0;
  serve(storing(version).on_client_hello([&](client_hello const&) {
    ++asked;
    return hello_answer();
  }));
  client_context const client = localhost_client();
  BOOST_TEST(!call(client).resumed);
  BOOST_TEST(call(client).resumed);
  BOOST_TEST(asked == 2);
  BOOST_TEST(kept->taken == 1);
}

BOOST_DATA_TEST_CASE_F(fixture, a_refused_connection_is_not_resumed_for_its_store, versions,
                       version) {
  bool allowed = true;
  serve(storing(version).on_established([&](peer_info const&, connection_info const&) {
    return allowed;
  }));
  client_context const client = localhost_client();
  BOOST_TEST(!call(client).resumed);
  BOOST_TEST(call(client).resumed);
  allowed = false;
  error_code failed;
  bool ended = false;
  auto const visiting = [&]() -> asio::awaitable<void> {
    auto [code, stream] = co_await async_connect("localhost", server->port(), client,
                                                 connect_options(), as_result);
    std::string text(5, '\0');
    if (!code) code = std::get<0>(co_await stream.async_read_some(asio::buffer(text), as_result));
    failed = code;
    ended = true;
  };
  spawn(context, visiting());
  run_until(ended);
  // In TLS 1.2 a server that resumes has said all by then (`context::on_established`).
  BOOST_TEST(failed == (version == protocol::tls1_3 ? make_error_code(alert::access_denied)
                                                    : asio::error::eof));
}

BOOST_AUTO_TEST_CASE(the_handshakes_deadline_reaches_into_a_store) {
  kept->way = stores::never;
  serve(localhost_server(protocol::tls1_3).set_session_store(kept.store().patience(1h)));
  client_context const client = localhost_client();
  BOOST_TEST(!call(client).resumed);
  error_code failed;
  async_connect(context.get_executor(), "localhost", server->port(), client,
                connect_options().handshake_timeout(200ms),
                [&](error_code code, tcp_stream) { failed = code; });
  context.restart();
  auto const give_up = std::chrono::steady_clock::now() + 10s;
  while (!failed && std::chrono::steady_clock::now() < give_up) context.run_one_for(100ms);
  BOOST_TEST(failed == errc::handshake_timeout);
  BOOST_TEST(kept->taken == 1);
}

BOOST_DATA_TEST_CASE_F(fixture, a_blocking_server_asks_its_store, versions* sound, version,
                       way) {
  kept->way = way;
  blocking::listener accepts({asio::ip::address_v4::loopback(), 0}, storing(version));
  std::thread serving([&] {
    for (int i = 0; i < 2; ++i) {
      auto stream = accepts.accept();
      stream.write(asio::buffer("hello", 5));
      error_code ignored;
      stream.shutdown(ignored);
    }
  });
  client_context const client = localhost_client();
  for (bool const expected : {false, true}) {
    auto stream = blocking::connect("localhost", accepts.port(), client);
    std::string text(5, '\0');
    stream.read(asio::buffer(text));
    BOOST_TEST(stream.info().resumed == expected);
    stream.shutdown();
  }
  serving.join();
}

BOOST_DATA_TEST_CASE_F(fixture, a_client_resumes_what_it_has_stored, versions* sound, version,
                       way) {
  kept->way = way;
  serve(localhost_server(version));
  auto const client = [&] { return localhost_client().set_session_store(kept.store()); };
  BOOST_TEST(!call(client()).resumed);
  BOOST_TEST(kept->put == 1);
  for (int again = 0; again < 3; ++again) BOOST_TEST(call(client()).resumed);
  BOOST_TEST(!call(client(), connect_options().verify_host("127.0.0.1")).resumed);
  BOOST_TEST(!call(client(), connect_options().resumption(false)).resumed);
  BOOST_TEST(call(client()).resumed);
}

BOOST_DATA_TEST_CASE_F(fixture, a_clients_store_that_fails_costs_a_full_handshake_and_no_more,
                       versions* unsound, version, way) {
  kept->way = way;
  serve(localhost_server(version));
  auto const client = [&] {
    return localhost_client().set_session_store(kept.store().patience(50ms));
  };
  BOOST_TEST(!call(client()).resumed);
  BOOST_TEST(!call(client(), connect_options().verify_host("127.0.0.1")).resumed);
  BOOST_TEST(!call(client()).resumed);
  BOOST_TEST(kept->running == 0);
}

BOOST_DATA_TEST_CASE_F(fixture, a_blocking_client_asks_its_store, sound, way) {
  kept->way = way;
  serve(localhost_server());
  auto const work = asio::make_work_guard(context);
  context.restart();
  std::thread serving([&] { context.run(); });
  client_context const client = localhost_client().set_session_store(kept.store());
  for (bool const expected : {false, true}) {
    auto stream = blocking::connect("localhost", server->port(), client);
    std::string text(5, '\0');
    stream.read(asio::buffer(text));
    BOOST_TEST(stream.info().resumed == expected);
    stream.shutdown();
  }
  context.stop();
  serving.join();
}

// What is put is nobody's to wait for: a store that never ends keeps no more than the bound.
BOOST_AUTO_TEST_CASE(puts_that_do_not_end_are_bounded) {
  int begun = 0;
  auto const none = [](std::string const&) { return std::optional<std::vector<unsigned char>>(); };
  auto const never = [&](std::string const&, std::vector<unsigned char> const&,
                         std::chrono::seconds) -> asio::awaitable<void> {
    ++begun;
    asio::steady_timer timer(context, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
  };
  session_store const store = session_store(context.get_executor(), none, never).max_puts(2);
  serve(localhost_server().set_session_store(store));
  for (int i = 0; i < 5; ++i) BOOST_TEST(!call(localhost_client()).resumed);
  BOOST_TEST(begun == 2);
  BOOST_TEST(store.lost() == 3u);
}

BOOST_AUTO_TEST_CASE(puts_that_throw_are_counted) {
  auto const none = [](std::string const&) { return std::optional<std::vector<unsigned char>>(); };
  auto const throwing = [](std::string const&, std::vector<unsigned char> const&,
                           std::chrono::seconds) { throw std::runtime_error("full"); };
  session_store const store(context.get_executor(), none, throwing);
  serve(localhost_server().set_session_store(store));
  BOOST_TEST(!call(localhost_client()).resumed);
  BOOST_TEST(store.lost() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::session_store_test
