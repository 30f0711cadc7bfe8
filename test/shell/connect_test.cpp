// Connecting by name, and who is refused.

#include "adopted_bio.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <cotls/blocking.hpp>

#include <cotls/detail/support/access.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/x509_vfy.h>

#include <optional>
#include <tuple>

namespace cotls::test::connect_test {

using namespace asio::experimental::awaitable_operators;

namespace {

// A server that accepts for as long as the fixture lives, and keeps what it accepted.
struct fixture {
  asio::io_context context;
  std::optional<listener> server;
  std::vector<tcp_stream> accepted;
  std::vector<error> refused;

  void serve(server_context const& with) {
    server.emplace(context.get_executor(), any_port(), with,
                   listener_options().observer([this](accept_failure const& failure) {
                     refused.push_back(failure.reason());
                   }));
    accept();
  }

  void accept() {
    server->async_accept([this](error_code code, tcp_stream made) {
      if (code) return;
      accepted.push_back(std::move(made));
      accept();
    });
  }

  // Connects and returns the failure, if there is one.
  std::optional<error> connect(std::string host, client_context const& with,
                               connect_options const& options = connect_options(), int port = 0) {
    std::optional<error> failed;
    bool done = false;
    auto connecting = [&]() -> asio::awaitable<void> {
      try {
        int const to = port != 0 ? port : server->port();
        tcp_stream const made = co_await async_connect(host, to, with, options);
        BOOST_TEST(made.peer().verified() == (with.verify_mode() != verify::none));
      } catch (error const& thrown) {
        failed = thrown;
      }
      done = true;
    };
    std::size_t const before = accepted.size() + refused.size();
    spawn(context, connecting());
    context.restart();
    // The client knows before the server does.
    auto const both_know = [&] {
      return done && (!server || accepted.size() + refused.size() > before);
    };
    while (!both_know() && context.run_one_for(10s) > 0) {
    }
    BOOST_REQUIRE(both_know());
    server.reset();
    run_for(context);
    return failed;
  }
};

identity expired_identity() {
  return make_self_signed(
      {"localhost", "127.0.0.1"},
      self_signed_options().valid(-std::chrono::hours(48), -std::chrono::hours(24)));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(connect, fixture)

BOOST_DATA_TEST_CASE_F(fixture, a_port_outside_1_to_65535_is_refused_before_any_io,
                       boost::unit_test::data::make({-1, 0, 65536}), port) {
  error_code code;
  async_connect(context.get_executor(), "localhost", port, localhost_client(), connect_options(),
                [&](error_code failed, tcp_stream) { code = failed; });
  run_for(context);
  BOOST_TEST(code == errc::invalid_port);
}

BOOST_AUTO_TEST_CASE(addresses_of_another_family_are_not_tried) {
  serve(localhost_server());
  connect_options const of_ipv4 = connect_options().family(address_family::ipv4);
  connect_options const of_ipv6 = connect_options().family(address_family::ipv6);
  BOOST_TEST(!connect("localhost", localhost_client(), of_ipv4));

  tcp::acceptor of_ipv4_alone(context, any_port());
  of_ipv4_alone.non_blocking(true);
  int const port = of_ipv4_alone.local_endpoint().port();
  BOOST_TEST(connect("localhost", localhost_client(), of_ipv6, port).has_value());
  auto const failed = connect("127.0.0.1", localhost_client(), of_ipv6, port);
  BOOST_REQUIRE(failed);
  BOOST_TEST(failed->code() == asio::error::address_family_not_supported);
  error_code none;
  of_ipv4_alone.accept(none);
  BOOST_TEST(none == asio::error::would_block);
}

BOOST_AUTO_TEST_CASE(what_is_neither_a_name_nor_an_address_is_refused_before_any_io) {
  std::vector<std::string> const hosts{"", ".", ".com", "*.test", "a b", std::string(300, 'a'),
                                       std::string("a\0b", 3), "10.0.0.1 x", " 127.0.0.1",
                                       "+127.0.0.1", "010.0.0.1", "127.1", "127.0.0.1.", "[::1]"};
  for (std::string const& host : hosts) {
    auto const failed = connect(host, localhost_client(), connect_options(), 1);
    BOOST_REQUIRE(failed);
    BOOST_TEST(failed->code() == errc::invalid_host_name);
    error_code code;
    blocking::connect(host, 1, localhost_client(), connect_options(), code);
    BOOST_TEST(code == errc::invalid_host_name);
    if (host.empty()) continue;   // verifies whom it connects to
    auto const verified =
        connect("127.0.0.1", localhost_client(), connect_options().verify_host(host), 1);
    BOOST_REQUIRE(verified);
    BOOST_TEST(verified->code() == errc::invalid_host_name);
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_offered_or_used_is_refused_before_any_io) {
  client_context half = localhost_client();
  half.use(localhost_identity().chain());
  std::vector<std::tuple<client_context, connect_options, errc>> const all{
      {localhost_client(), connect_options().alpn("h2", ""), errc::invalid_alpn_protocol},
      {half, connect_options(), errc::no_certificate}};
  for (auto const& [with, how, expected] : all) {
    auto const failed = connect("127.0.0.1", with, how, 1);
    BOOST_REQUIRE(failed);
    BOOST_TEST(failed->code() == expected);
    error_code code;
    blocking::connect("127.0.0.1", 1, with, how, code);
    BOOST_TEST(code == expected);
  }
}

BOOST_AUTO_TEST_CASE(an_address_is_connected_to_by_its_zone) {
  std::uint16_t const closed = unused_port();
  auto const failed = connect("::1%lo", localhost_client(), connect_options(), closed);
  BOOST_REQUIRE(failed);
  BOOST_TEST(failed->code() == asio::error::connection_refused);
  error_code code;
  blocking::connect("::1%lo", closed, localhost_client(), connect_options(), code);
  BOOST_TEST(code == asio::error::connection_refused);
}

BOOST_AUTO_TEST_CASE(the_default_context_cannot_be_changed_by_anybody) {
  client_context mine = default_client_context();
  BOOST_TEST(mine.sealed());
  auto const is_sealed = [](error const& thrown) {
    return thrown.code() == errc::context_sealed;
  };
  BOOST_CHECK_EXCEPTION(mine.set_verify(verify::none), error, is_sealed);
  BOOST_CHECK_EXCEPTION(mine.native(), error, is_sealed);
  BOOST_CHECK_EXCEPTION(mine.native_handle(), error, is_sealed);
  BOOST_TEST((default_client_context().verify_mode() == verify::required));
}

BOOST_AUTO_TEST_CASE(an_address_of_ipv6_is_told_from_its_port) {
  std::uint16_t const closed = unused_port();
  auto const failed = connect("::1", localhost_client(), connect_options(), closed);
  BOOST_REQUIRE(failed);
  std::string const named = "connecting to [::1]:" + std::to_string(closed) + " failed";
  BOOST_TEST(std::string(failed->what()).starts_with(named));
}

BOOST_AUTO_TEST_CASE(a_verified_server_is_connected_to_by_name_and_by_address) {
  for (char const* host : {"localhost", "127.0.0.1"}) {
    serve(localhost_server());
    BOOST_TEST(!connect(host, localhost_client()));
  }
  serve(localhost_server());   // a name may be written with the root's dot
  BOOST_TEST(
      !connect("127.0.0.1", localhost_client(), connect_options().verify_host("localhost.")));
}

BOOST_AUTO_TEST_CASE(a_name_is_sent_to_the_server_and_an_address_is_not) {
  serve(localhost_server());
  BOOST_TEST(!connect("localhost", localhost_client()));
  serve(localhost_server());
  BOOST_TEST(!connect("127.0.0.1", localhost_client()));
  BOOST_REQUIRE(accepted.size() == 2u);
  BOOST_TEST(accepted[0].info().server_name == "localhost");
  BOOST_TEST(accepted[1].info().server_name == "");
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_name_is_refused) {
  serve(server_context().use(localhost_identity()));
  auto const failed =
      connect("localhost", localhost_client(), connect_options().verify_host("other.test"));
  BOOST_REQUIRE(failed);
  BOOST_TEST(failed->verify_result() == X509_V_ERR_HOSTNAME_MISMATCH);
  BOOST_TEST((failed->code().category() == openssl_category()));
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_address_is_refused) {
  serve(server_context().use(make_self_signed({"localhost"})));
  auto const failed = connect("127.0.0.1", localhost_client().set_verify(verify::required));
  BOOST_REQUIRE(failed);
}

BOOST_AUTO_TEST_CASE(an_unknown_authority_is_refused_and_told_so) {
  serve(server_context().use(make_self_signed({"localhost"})));
  auto const failed = connect("localhost", localhost_client());
  BOOST_REQUIRE(failed);
  BOOST_TEST(failed->verify_result() == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
  BOOST_TEST(failed->status() == status::ssl);
  BOOST_REQUIRE(refused.size() == 1u);
  BOOST_TEST(refused[0].alert().has_value());
}

BOOST_AUTO_TEST_CASE(an_expired_certificate_is_refused_with_a_message_that_says_all) {
  identity const expired = expired_identity();
  serve(server_context().use(expired));
  int const port = server->port();
  auto const failed = connect("localhost", client_context().add_root(expired.chain().leaf()));
  BOOST_REQUIRE(failed);
  BOOST_TEST(failed->verify_result() == X509_V_ERR_CERT_HAS_EXPIRED);
  BOOST_TEST(failed->what() == "handshake with localhost:" + std::to_string(port) +
                                   " failed: the peer's certificate has expired (depth 0, "
                                   "CN=localhost) [ssl: certificate verify failed]");
}

BOOST_AUTO_TEST_CASE(verification_that_is_off_lets_any_certificate_pass) {
  serve(server_context().use(expired_identity()));
  BOOST_TEST(!connect("localhost", client_context().set_verify(verify::none)));
}

BOOST_AUTO_TEST_CASE(an_unresolvable_host_is_named_in_the_error) {
  auto const failed = connect("does-not-exist.invalid", localhost_client(), connect_options(), 443);
  BOOST_REQUIRE(failed);
  BOOST_TEST(std::string(failed->what()).find("does-not-exist.invalid") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_port_that_nobody_listens_on_is_refused) {
  tcp::acceptor unused(context, any_port());
  int const port = unused.local_endpoint().port();
  unused.close();
  auto const failed = connect("127.0.0.1", localhost_client(), connect_options(), port);
  BOOST_REQUIRE(failed);
  BOOST_TEST(failed->code() == asio::error::connection_refused);
  BOOST_TEST(std::string(failed->what()).find(std::to_string(port)) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(one_deadline_covers_a_handshake_that_is_never_answered) {
  for (auto const& limits :
       {connect_options().timeout(50ms), connect_options().handshake_timeout(50ms)}) {
    tcp::acceptor silent(context, any_port());
    auto const begin = std::chrono::steady_clock::now();
    auto const failed =
        connect("127.0.0.1", localhost_client(), limits, silent.local_endpoint().port());
    BOOST_REQUIRE(failed);
    BOOST_TEST(failed->code() == errc::handshake_timeout);
    BOOST_TEST((failed->code() == boost::system::errc::timed_out));
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 5s));
    // Nothing is left of the connection.
    tcp::socket peer = silent.accept();
    std::string hello(10'000, '\0');
    error_code end;
    asio::async_read(peer, asio::buffer(hello), [&](error_code code, std::size_t) { end = code; });
    run_for(context);
    BOOST_TEST(end == asio::error::eof);
  }
}

BOOST_AUTO_TEST_CASE(a_peer_that_closes_inside_the_handshake_is_told_apart) {
  tcp::acceptor acceptor(context, any_port());
  acceptor.async_accept([](error_code, tcp::socket socket) {
    socket.shutdown(tcp::socket::shutdown_send);
    std::string drained(10'000, '\0');
    error_code ignored;
    socket.non_blocking(true);
    socket.read_some(asio::buffer(drained), ignored);
  });
  auto const failed =
      connect("127.0.0.1", localhost_client(), connect_options(), acceptor.local_endpoint().port());
  BOOST_REQUIRE(failed);
  BOOST_TEST(failed->code() == errc::handshake_truncated);
}

BOOST_AUTO_TEST_CASE(a_server_that_speaks_no_tls_is_an_ssl_error) {
  tcp::acceptor acceptor(context, any_port());
  std::optional<tcp::socket> kept;
  acceptor.async_accept([&](error_code, tcp::socket socket) {
    kept = std::move(socket);
    asio::write(*kept, asio::buffer("220 mail.example ESMTP ready, say something\r\n", 45));
  });
  auto const failed =
      connect("127.0.0.1", localhost_client(), connect_options(), acceptor.local_endpoint().port());
  BOOST_REQUIRE(failed);
  BOOST_TEST(failed->status() == status::ssl);
  BOOST_TEST(!failed->openssl_stack().empty());
}

BOOST_AUTO_TEST_CASE(connecting_can_be_cancelled) {
  tcp::acceptor silent(context, any_port());
  run(context, [&]() -> asio::awaitable<void> {
    asio::steady_timer timer(context, 20ms);
    client_context const with = localhost_client();
    auto const first =
        co_await (async_connect("127.0.0.1", silent.local_endpoint().port(), with) ||
                  timer.async_wait(asio::use_awaitable));
    BOOST_TEST(first.index() == 1u);
  }());

  asio::cancellation_signal signal;
  error_code code;
  async_connect(context.get_executor(), "127.0.0.1", silent.local_endpoint().port(),
                localhost_client(), connect_options(),
                asio::bind_cancellation_slot(
                    signal.slot(), [&](error_code ended, tcp_stream) { code = ended; }));
  context.restart();
  context.run_for(20ms);
  signal.emit(asio::cancellation_type::partial);
  run_for(context);
  BOOST_TEST(code == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(the_servers_alpn_choice_is_known_to_both) {
  serve(localhost_server().set_alpn({"h2", "http/1.1"}));
  BOOST_TEST(!connect("localhost", localhost_client(), connect_options().alpn("http/1.1", "x")));
  BOOST_REQUIRE(accepted.size() == 1u);
  BOOST_TEST(accepted[0].info().alpn == "http/1.1");
}

BOOST_AUTO_TEST_CASE(a_list_of_protocols_may_be_known_at_run_time_alone) {
  std::vector<std::string> names{"x"};
  names.push_back("h2");
  serve(localhost_server().set_alpn({"h2", "http/1.1"}));
  BOOST_TEST(!connect("localhost", localhost_client(), connect_options().alpn(names)));
  BOOST_REQUIRE(accepted.size() == 1u);
  BOOST_TEST(accepted[0].info().alpn == "h2");
  auto const offered = [](client_options const& of) { return detail::access::inner(of).alpn; };
  BOOST_TEST(offered(client_options().alpn(names)) == names, boost::test_tools::per_element());
  BOOST_TEST(offered(client_options().alpn(names.front(), "b")).size() == 2u);
}

BOOST_AUTO_TEST_CASE(without_a_common_alpn_protocol_the_policy_decides) {
  serve(localhost_server().set_alpn({"h2"}));
  auto const failed = connect("localhost", localhost_client(), connect_options().alpn("x"));
  BOOST_REQUIRE(failed);
  BOOST_TEST(failed->code() == alert::no_application_protocol);
  serve(localhost_server().set_alpn({"h2"}, alpn_mismatch::proceed));
  BOOST_TEST(!connect("localhost", localhost_client(), connect_options().alpn("x")));
}

BOOST_AUTO_TEST_CASE(a_context_in_use_refuses_changes) {
  client_context with = localhost_client();
  serve(localhost_server());
  BOOST_TEST(!connect("localhost", with));
  BOOST_TEST(with.sealed());
  BOOST_CHECK_EXCEPTION(with.set_verify(verify::none), error,
                        [](error const& thrown) { return thrown.code() == errc::context_sealed; });
}

// Asio's registration of a socket that it has connected holds EPOLLOUT (A3).
BOOST_AUTO_TEST_CASE(who_waits_for_the_servers_answer_is_not_woken_by_room_for_output) {
  tcp::acceptor silent(context, any_port());
  tcp::socket socket(context);
  socket.async_connect(silent.local_endpoint(), [](error_code) {});
  run_for(context);
  tcp_stream client(std::move(socket), localhost_client(), client_options().host("localhost"));
  client.async_handshake([](error_code) {});
  context.restart();
  BOOST_TEST(context.poll() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::connect_test
