// Virtual hosts: the context is chosen between the client hello and the handshake, by a coroutine
// that may take its time. Whatever the chosen context says holds, and nothing of the listener's.

#include "print.hpp"
#include "tls.hpp"

#include <cotls/incoming.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <string>

namespace cotls::test::virtual_host_test {

using namespace asio::experimental::awaitable_operators;

namespace {

using session_ptr = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

/// Hosts a.test and b.test, each with a certificate of its own; the listener's own has none.
struct fixture {
  asio::io_context context;
  identity const a_identity = make_self_signed({"a.test"});
  identity const b_identity = make_self_signed({"b.test"});
  std::map<std::string, server_context> hosts{{"a.test", server_context().use(a_identity)},
                                              {"b.test", server_context().use(b_identity)}};
  listener server{context.get_executor(), any_port(), localhost_server()};
  int asked = 0;

  void host(std::string const& name, server_context made) {
    hosts.insert_or_assign(name, std::move(made));
  }

  client_context client(protocol versions = protocol::secure) const {
    return client_context(versions).add_root(a_identity.chain().leaf()).add_root(
        b_identity.chain().leaf());
  }

  // As long as a database takes: three times around the executor.
  asio::awaitable<server_context> look_up(std::string name) {
    ++asked;
    for (int i = 0; i < 3; ++i) co_await asio::post(asio::use_awaitable);
    co_return hosts.at(name);
  }

  asio::awaitable<std::pair<error_code, tcp_stream>> accept() {
    incoming accepted = co_await server.async_accept_incoming();
    client_hello const hello = co_await accepted.async_client_hello();
    server_context const chosen = co_await look_up(hello.server_name);
    auto [code, made] = co_await accepted.async_handshake(chosen, as_result);
    co_return std::pair(code, std::move(made));
  }

  // A client's connection, resumed if it is given a session.
  asio::awaitable<std::pair<error_code, tcp_stream>> connect(client_context with, std::string name,
                                                             SSL_SESSION* session = nullptr) {
    tcp::socket socket(context);
    co_await socket.async_connect(server.local_endpoint(), asio::use_awaitable);
    tcp_stream made(std::move(socket), with, client_options().host(name));
    if (session) SSL_set_session(made.native_handle(), session);
    auto const [code] = co_await made.async_handshake(as_result);
    co_return std::pair(code, std::move(made));
  }

  using both = std::tuple<std::pair<error_code, tcp_stream>, std::pair<error_code, tcp_stream>>;

  // One connection: the server's end and the client's.
  both meet(client_context const& with, std::string const& name, SSL_SESSION* session = nullptr) {
    std::optional<both> ends;
    run(context, [&]() -> asio::awaitable<void> {
      ends.emplace(co_await (accept() && connect(with, name, session)));
    }());
    return std::move(*ends);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(virtual_hosts, fixture)

BOOST_AUTO_TEST_CASE(each_host_has_its_certificate) {
  for (std::string const name : {"a.test", "b.test"}) {
    auto [at_server, at_client] = meet(client(), name);
    BOOST_TEST(!at_server.first);
    BOOST_TEST(!at_client.first);
    BOOST_TEST(at_client.second.peer().subject() == "CN=" + name);
    BOOST_TEST(at_client.second.peer().verified());
    BOOST_TEST(at_server.second.info().server_name == name);
  }
}

BOOST_AUTO_TEST_CASE(a_hello_retry_request_asks_for_the_context_once) {
  host("b.test", server_context().use(b_identity).set_groups("P-384"));
  client_context with = client();
  with.set_groups("X25519:P-384");
  auto [at_server, at_client] = meet(with, "b.test");
  BOOST_TEST(!at_client.first);
  BOOST_TEST(at_client.second.info().group == "secp384r1");
  BOOST_TEST(at_client.second.peer().subject() == "CN=b.test");
  BOOST_TEST(asked == 1);
}

BOOST_AUTO_TEST_CASE(a_host_that_requires_a_client_certificate_refuses_a_client_without) {
  host("b.test", server_context()
                     .use(b_identity)
                     .set_verify(verify::required)
                     .add_root(a_identity.chain().leaf()));
  auto refused = meet(client(), "b.test");
  BOOST_TEST(std::get<0>(refused).first.message() == "peer did not return a certificate");
  auto [at_server, at_client] = meet(client().use(a_identity), "b.test");
  BOOST_TEST(!at_server.first);
  BOOST_TEST(at_server.second.peer().subject() == "CN=a.test");
  auto other = meet(client(), "a.test");
  BOOST_TEST(!std::get<0>(other).first);
}

BOOST_AUTO_TEST_CASE(a_host_of_tls_1_3_alone_refuses_a_client_of_1_2) {
  host("b.test", server_context(protocol::tls1_3).use(b_identity));
  auto [at_server, at_client] = meet(client(protocol::tls1_2), "b.test");
  BOOST_TEST(at_server.first);
  BOOST_TEST(at_client.first == alert::protocol_version);
  auto other = meet(client(protocol::tls1_2), "a.test");
  BOOST_TEST(!std::get<1>(other).first);
  BOOST_TEST(std::get<1>(other).second.info().version == "TLSv1.2");
}

BOOST_AUTO_TEST_CASE(a_session_of_one_host_is_not_resumed_by_another) {
  client_context const with = client(protocol::tls1_2);
  auto first = meet(with, "a.test");
  session_ptr const session(SSL_get1_session(std::get<1>(first).second.native_handle()),
                            SSL_SESSION_free);
  auto elsewhere = meet(with, "b.test", session.get());
  BOOST_TEST(!std::get<1>(elsewhere).first);
  BOOST_TEST(!std::get<1>(elsewhere).second.info().resumed);
  BOOST_TEST(std::get<1>(elsewhere).second.peer().subject() == "CN=b.test");
  auto again = meet(with, "a.test", session.get());
  BOOST_TEST(!std::get<1>(again).first);
  BOOST_TEST(std::get<1>(again).second.info().resumed);
}

BOOST_AUTO_TEST_CASE(a_host_chooses_its_own_protocols) {
  host("b.test", server_context().use(b_identity).set_alpn({"h2"}, alpn_mismatch::refuse));
  client_context with = client();
  with.set_alpn({"http/1.1"});
  auto refused = meet(with, "b.test");
  BOOST_TEST(std::get<1>(refused).first == alert::no_application_protocol);
  with = client();
  with.set_alpn({"http/1.1", "h2"});
  auto [at_server, at_client] = meet(with, "b.test");
  BOOST_TEST(at_client.second.info().alpn == "h2");
}

BOOST_AUTO_TEST_CASE(a_host_that_is_not_served_is_refused_with_an_alert) {
  for (protocol const version : {protocol::tls1_2, protocol::tls1_3}) {
    run(context, [&]() -> asio::awaitable<void> {
      auto refusing = [&]() -> asio::awaitable<void> {
        incoming accepted = co_await server.async_accept_incoming();
        co_await accepted.async_client_hello();
        accepted.refuse(alert::unrecognized_name);
        BOOST_TEST(!accepted);
        BOOST_CHECK_THROW(accepted.refuse(alert::unrecognized_name), error);
      };
      client_context const with = client(version);
      auto const [code, none] = co_await (refusing() && connect(with, "c.test"));
      BOOST_TEST(code == alert::unrecognized_name);
    }());
  }
}

BOOST_AUTO_TEST_CASE(what_the_context_of_a_listener_becomes_meanwhile_is_of_no_matter) {
  run(context, [&]() -> asio::awaitable<void> {
    auto accepting = [&]() -> asio::awaitable<tcp_stream> {
      incoming accepted = co_await server.async_accept_incoming();
      co_await accepted.async_client_hello();
      server.replace_context(server_context().use(b_identity));
      co_return co_await accepted.async_handshake();
    };
    client_context const with = localhost_client();
    auto [at_server, at_client] = co_await (accepting() && connect(with, "localhost"));
    BOOST_TEST(!at_client.first);
  }());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::virtual_host_test
