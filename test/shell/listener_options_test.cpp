// Where a listener listens, what it does with too many connections, and whether one is ready.

#include "print.hpp"
#include "temporary_directory.hpp"
#include "tls.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cotls::test::listener_options_test {

using namespace asio::experimental::awaitable_operators;

namespace {

struct fixture {
  asio::io_context context;
  std::vector<accept_failure> failures;

  listener_options options() {
    return listener_options().observer(
        [this](accept_failure const& failure) { failures.push_back(failure); });
  }

  listener make(listener_options const& with) {
    return listener(context.get_executor(), any_port(), localhost_server(), with);
  }

  std::size_t count(errc code) const {
    return static_cast<std::size_t>(
        std::count_if(failures.begin(), failures.end(), [&](accept_failure const& one) {
          return one.reason().code() == code;
        }));
  }

  asio::awaitable<tcp_stream> connect(std::uint16_t port, std::string host = "127.0.0.1") {
    client_context const with = localhost_client();
    co_return co_await async_connect(host, port, with);
  }

  asio::awaitable<std::vector<tcp::socket>> silent_clients(listener const& to, int count) {
    std::vector<tcp::socket> silent;
    for (int i = 0; i < count; ++i) {
      silent.emplace_back(context);
      co_await silent.back().async_connect(to.local_endpoint(), asio::use_awaitable);
    }
    co_return silent;
  }

  // Accepts what comes, and keeps it.
  void keep_accepting(listener& from, std::vector<tcp_stream>& into) {
    from.async_accept([&](error_code code, tcp_stream made) {
      if (code) return;
      into.push_back(std::move(made));
      keep_accepting(from, into);
    });
  }

  // A byte from end to end.
  asio::awaitable<void> exchange(auto& from, auto& to) {
    co_await from.async_write(asio::buffer("x", 1), asio::use_awaitable);
    char one = 0;
    co_await to.async_read_some(asio::buffer(&one, 1), asio::use_awaitable);
    BOOST_TEST(one == 'x');
  }
};

// Lets the process have as many descriptors as the test needs.
class more_descriptors {
 public:
  more_descriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit const now{before_.rlim_max, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  ~more_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(overloaded_listeners, fixture)

BOOST_AUTO_TEST_CASE(beyond_the_bound_connections_are_refused_where_that_is_asked_for) {
  listener server = make(options().max_handshakes(2).on_overload(overload::refuse));
  std::vector<tcp_stream> accepted;
  keep_accepting(server, accepted);
  run(context, [&]() -> asio::awaitable<void> {
    auto silent = co_await silent_clients(server, 2);
    tcp::socket third(context);
    co_await third.async_connect(server.local_endpoint(), asio::use_awaitable);
    char one = 0;
    auto const [code, count] = co_await third.async_read_some(asio::buffer(&one, 1), as_result);
    BOOST_TEST(code == asio::error::eof);
    BOOST_REQUIRE(failures.size() == 1u);
    BOOST_TEST(failures[0].reason().code() == errc::overloaded);
    BOOST_TEST((failures[0].peer() == third.local_endpoint()));
    silent.clear();   // there is room again
    while (failures.size() < 3) co_await asio::post(asio::use_awaitable);
    tcp_stream const good = co_await connect(server.port());
    while (accepted.empty()) co_await asio::post(asio::use_awaitable);
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(the_oldest_handshake_gives_way_where_that_is_asked_for) {
  listener server = make(options().max_handshakes(2).on_overload(overload::drop_oldest));
  std::vector<tcp_stream> accepted;
  keep_accepting(server, accepted);
  run(context, [&]() -> asio::awaitable<void> {
    auto silent = co_await silent_clients(server, 3);
    char one = 0;
    auto const [code, count] = co_await silent[0].async_read_some(asio::buffer(&one, 1), as_result);
    BOOST_TEST(code == asio::error::eof);
    while (failures.empty()) co_await asio::post(asio::use_awaitable);
    BOOST_TEST(failures.size() == 1u);
    BOOST_TEST(failures[0].reason().code() == errc::displaced);
    BOOST_TEST((failures[0].peer() == silent[0].local_endpoint()));
    tcp_stream const good = co_await connect(server.port());
    while (accepted.empty()) co_await asio::post(asio::use_awaitable);
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(good_clients_get_through_a_thousand_silent_ones) {
  constexpr int crowd = 1000;
  constexpr int good = 20;
  more_descriptors const enough;
  listener server = make(options().max_handshakes(256).on_overload(overload::drop_oldest));
  std::vector<tcp_stream> accepted;
  keep_accepting(server, accepted);
  run(context, [&]() -> asio::awaitable<void> {
    auto const silent = co_await silent_clients(server, crowd);
    std::vector<tcp_stream> clients;
    for (int i = 0; i < good; ++i) clients.push_back(co_await connect(server.port()));
    // The deadline has rid nobody of the silent ones.
    BOOST_TEST(count(errc::handshake_timeout) == 0u);
    BOOST_TEST(count(errc::displaced) >= crowd - 256u);
    BOOST_TEST(failures.size() == count(errc::displaced));
    while (accepted.size() < good) co_await asio::post(asio::use_awaitable);
    for (std::size_t i = 0; i < good; ++i) {
      co_await clients[i].async_write(asio::buffer("x", 1));
      char one = 0;
      co_await accepted[i].async_read_some(asio::buffer(&one, 1));
    }
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(a_handshake_that_is_done_never_gives_way) {
  listener server = make(options().max_handshakes(2).on_overload(overload::drop_oldest));
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(!server.accept_ready());
    tcp_stream first = co_await connect(server.port());
    tcp_stream second = co_await connect(server.port());
    // The server is done a little later than the client.
    for (int i = 0; i < 20; ++i) co_await asio::post(asio::use_awaitable);
    auto const silent = co_await silent_clients(server, 5);   // these wait in the backlog
    for (int i = 0; i < 20; ++i) co_await asio::post(asio::use_awaitable);
    tcp_stream accepted = co_await server.async_accept();
    co_await exchange(first, accepted);
    tcp_stream other = co_await server.async_accept();
    co_await exchange(second, other);
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(stopping_waits_for_those_that_give_way_and_tells_of_them) {
  listener server = make(options().max_handshakes(1).on_overload(overload::drop_oldest));
  server.async_accept([](error_code, tcp_stream) {});
  run(context, [&]() -> asio::awaitable<void> {
    auto silent = co_await silent_clients(server, 4);
    while (count(errc::displaced) < 3) co_await asio::post(asio::use_awaitable);
    silent.clear();
    co_await server.async_stop(5s);
    BOOST_TEST(failures.size() == 4u);
  }());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(readiness, fixture)

BOOST_AUTO_TEST_CASE(a_listener_is_ready_once_a_handshake_is_done_and_nothing_is_taken) {
  listener server = make(options());
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(!server.accept_ready());
    auto const silent = co_await silent_clients(server, 1);
    for (int i = 0; i < 20; ++i) co_await asio::post(asio::use_awaitable);
    BOOST_TEST(!server.accept_ready());   // connected is not ready
    co_await (server.async_wait_ready(asio::use_awaitable) && connect(server.port()));
    BOOST_TEST(server.accept_ready());
    co_await server.async_wait_ready();
    BOOST_TEST(server.accept_ready());
    std::optional<tcp_stream> accepted;
    server.async_accept([&](error_code, tcp_stream made) { accepted = std::move(made); });
    co_await asio::post(asio::use_awaitable);
    BOOST_TEST(accepted.has_value());   // at once
    BOOST_TEST(!server.accept_ready());
    server.close();
    BOOST_TEST(!server.accept_ready());
  }());
}

BOOST_AUTO_TEST_CASE(a_listener_that_is_only_asked_whether_it_is_ready_becomes_so) {
  listener server = make(options());
  run(context, [&]() -> asio::awaitable<void> {
    BOOST_TEST(!server.accept_ready());
    tcp_stream const client = co_await connect(server.port());
    while (!server.accept_ready()) co_await asio::post(asio::use_awaitable);
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(all_who_wait_for_readiness_are_woken_but_not_for_a_stream_that_is_taken) {
  listener server = make(options());
  run(context, [&]() -> asio::awaitable<void> {
    int woken = 0;
    int accepted = 0;
    server.async_accept([&](error_code, tcp_stream) { ++accepted; });
    for (int i = 0; i < 2; ++i) server.async_wait_ready([&](error_code) { ++woken; });
    tcp_stream const first = co_await connect(server.port());
    while (accepted == 0) co_await asio::post(asio::use_awaitable);
    for (int i = 0; i < 5; ++i) co_await asio::post(asio::use_awaitable);
    BOOST_TEST(woken == 0);
    tcp_stream const second = co_await connect(server.port());
    while (woken < 2) co_await asio::post(asio::use_awaitable);
    BOOST_TEST(server.accept_ready());
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(waiting_for_readiness_can_be_cancelled) {
  listener server = make(options());
  asio::cancellation_signal signal;
  error_code code;
  server.async_wait_ready(asio::bind_cancellation_slot(signal.slot(),
                                                       [&](error_code failed) { code = failed; }));
  signal.emit(asio::cancellation_type::terminal);
  context.restart();
  context.poll();
  BOOST_TEST(code == asio::error::operation_aborted);
  run(context, [&]() -> asio::awaitable<void> {
    co_await (server.async_accept() && connect(server.port()));
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(readiness_without_a_certificate_is_an_error) {
  listener server(context.get_executor(), any_port(), protocol::secure);
  BOOST_CHECK_EXCEPTION(server.accept_ready(), error,
                        [](error const& e) { return e.code() == errc::no_certificate; });
  error_code code;
  server.async_wait_ready([&](error_code failed) { code = failed; });
  run_for(context);
  BOOST_TEST(code == errc::no_certificate);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(listening, fixture)

BOOST_AUTO_TEST_CASE(a_protocol_word_makes_a_context_that_is_completed_before_the_first_accept) {
  listener server(context.get_executor(), any_port(), protocol::tls1_2);
  server.context().use(localhost_identity());
  run(context, [&]() -> asio::awaitable<void> {
    auto const [accepted, client] = co_await (server.async_accept() && connect(server.port()));
    BOOST_TEST(client.info().version == "TLSv1.2");
    server.close();
  }());
  BOOST_CHECK_EXCEPTION(
      listener(context.get_executor(), any_port(), protocol::sslv2), error,
      [](error const& e) { return e.code() == errc::unsupported_protocol; });
}

BOOST_AUTO_TEST_CASE(a_host_is_a_name_or_an_address_of_either_family) {
  for (std::string const host : {"127.0.0.1", "::1", "localhost"}) {
    listener server(context.get_executor(), host, 0, localhost_server());
    BOOST_TEST(server.local_endpoint().address().is_loopback());
    BOOST_TEST(server.port() != 0);
    run(context, [&]() -> asio::awaitable<void> {
      auto const [accepted, client] =
          co_await (server.async_accept() && connect(server.port(), host));
      BOOST_TEST(client.peer().verified());
      server.close();
    }());
  }
}

BOOST_AUTO_TEST_CASE(no_host_means_every_address) {
  listener server(context.get_executor(), "", 0, protocol::secure);
  server.context().use(localhost_identity());
  run(context, [&]() -> asio::awaitable<void> {
    co_await (server.async_accept() && connect(server.port(), "127.0.0.1"));
    co_await (server.async_accept() && connect(server.port(), "::1"));
    server.close();
  }());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_listened_at_is_told_with_its_name) {
  auto const try_at = [&](std::string const& host, int port) {
    try {
      listener const server(context.get_executor(), host, port, localhost_server());
    } catch (error const& thrown) {
      return std::pair(thrown.code(), std::string(thrown.what()));
    }
    return std::pair(error_code(), std::string());
  };
  BOOST_TEST(try_at("127.0.0.1", 65536).first == errc::invalid_port);
  BOOST_TEST(try_at("127.0.0.1", -1).first == errc::invalid_port);
  BOOST_TEST(try_at("192.0.2.1", 0).first == boost::system::errc::address_not_available);
  BOOST_TEST(try_at("no such name", 0).first);
  listener const first = make(options());
  auto const [code, text] = try_at("127.0.0.1", first.port());
  BOOST_TEST(code == asio::error::address_in_use);
  BOOST_TEST(text.starts_with("listening on 127.0.0.1:" + std::to_string(first.port()) +
                              " failed: "));
  BOOST_CHECK_EXCEPTION(
      listener(context.get_executor(), first.local_endpoint(), localhost_server()), error,
      [](error const& e) { return std::string(e.what()).starts_with("listening on 127.0.0.1:"); });
}

BOOST_AUTO_TEST_CASE(ipv4_is_kept_out_where_that_is_asked_for) {
  for (bool const alone : {true, false}) {
    listener const server(context.get_executor(), {asio::ip::address_v6::any(), 0},
                          localhost_server(), listener_options().v6_only(alone));
    tcp::socket socket(context);
    error_code code;
    socket.connect({asio::ip::address_v4::loopback(), server.port()}, code);
    BOOST_TEST((code == asio::error::connection_refused) == alone);
  }
}

BOOST_AUTO_TEST_CASE(an_address_is_reused_unless_that_is_forbidden) {
  for (bool const reuse : {true, false}) {
    std::optional<listener> first(make(options()));
    tcp::endpoint const address = first->local_endpoint();
    run(context, [&]() -> asio::awaitable<void> {
      // The server's end goes first, and lingers.
      auto [accepted, client] = co_await (first->async_accept() && connect(first->port()));
      accepted = tcp_stream();
      char one = 0;
      co_await client.async_read_some(asio::buffer(&one, 1), as_result);
      first.reset();
    }());
    error_code code;
    try {
      listener const second(context.get_executor(), address, localhost_server(),
                            listener_options().reuse_address(reuse));
    } catch (error const& thrown) {
      code = thrown.code();
    }
    BOOST_TEST((code == asio::error::address_in_use) == !reuse);
  }
}

BOOST_AUTO_TEST_CASE(several_listeners_share_a_port) {
  listener_options const shared = options().reuse_port();
  std::vector<listener> servers;
  servers.push_back(make(shared));
  for (int i = 0; i < 3; ++i) {
    servers.emplace_back(context.get_executor(), servers[0].local_endpoint(), localhost_server(),
                         shared);
  }
  std::map<std::size_t, int> served;
  std::vector<tcp_stream> accepted;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    for (int k = 0; k < 60; ++k) {
      servers[i].async_accept([&, i](error_code code, tcp_stream made) {
        if (code) return;
        ++served[i];
        accepted.push_back(std::move(made));
      });
    }
  }
  run(context, [&]() -> asio::awaitable<void> {
    for (int i = 0; i < 60; ++i) tcp_stream const made = co_await connect(servers[0].port());
    while (accepted.size() < 60) co_await asio::post(asio::use_awaitable);
    servers.clear();
  }());
  BOOST_TEST(served.size() > 1u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(local_listening, fixture)

BOOST_AUTO_TEST_CASE(a_unix_domain_socket_is_listened_at_with_the_same_machinery) {
  using local = asio::local::stream_protocol;
  temporary_directory const directory;
  local::endpoint const path((directory.path() / "socket").string());
  local_listener server(context.get_executor(), path, localhost_server(), options());
  BOOST_TEST((server.local_endpoint() == path));
  client_context const with = localhost_client();
  auto connecting = [&]() -> asio::awaitable<local_stream> {
    local::socket socket(context);
    co_await socket.async_connect(path, asio::use_awaitable);
    local_stream made(std::move(socket), with, client_options().host("localhost"));
    co_await made.async_handshake();
    co_return made;
  };
  auto choosing = [&]() -> asio::awaitable<local_stream> {
    local_incoming accepted = co_await server.async_accept_incoming();
    client_hello const hello = co_await accepted.async_client_hello();
    BOOST_TEST(hello.server_name == "localhost");
    co_return co_await accepted.async_handshake();
  };
  run(context, [&]() -> asio::awaitable<void> {
    auto [at_server, at_client] =
        co_await (server.async_accept(asio::use_awaitable) && connecting());
    co_await exchange(at_client, at_server);
    auto [chosen, chosen_client] = co_await (choosing() && connecting());
    co_await exchange(chosen, chosen_client);
    server.async_accept([](error_code, local_stream) {});
    local::socket plain(context);
    co_await plain.async_connect(path, asio::use_awaitable);
    co_await plain.async_write_some(asio::buffer("GET / HTTP/1.0\r\n", 16), asio::use_awaitable);
    while (failures.empty()) co_await asio::post(asio::use_awaitable);
    BOOST_TEST(failures[0].reason().status() == status::ssl);
    BOOST_TEST((failures[0].peer() == tcp::endpoint()));
    server.close();
  }());
  BOOST_CHECK_EXCEPTION(
      local_listener(context.get_executor(), path, localhost_server()), error,
      [&](error const& e) {
        return e.code() == asio::error::address_in_use &&
               std::string(e.what()).starts_with("listening on " + path.path());
      });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::listener_options_test
