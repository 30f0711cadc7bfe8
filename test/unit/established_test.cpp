// The program's last word on a connection: on each, whatever the way it came about.

#include "engine_pair.hpp"
#include "pki.hpp"
#include "print.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace cotls::test::established_test {
namespace {

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});
auto const tickets = boost::unit_test::data::make({true, false});

struct seen {
  std::string subject;
  std::string version;
  bool verified;
  bool resumed;
};

struct fixture {
  authority root{"root"};
  issued of_server = root.issue(certificate_request({"server.test"}));
  issued person = root.issue(certificate_request({"person"}).use(purpose::client));
  bool takes_tickets = true;
  bool allowed = true;
  std::vector<seen> told;

  client_context make_client(protocol version) const {
    client_context made = client_context(version).add_root(root.certificate());
    made.use(person.identity());
    if (!takes_tickets) SSL_CTX_set_options(made.native_handle(), SSL_OP_NO_TICKET);
    return made;
  }

  server_context make_server() const {
    return server_context()
        .use(of_server.identity())
        .set_verify(verify::optional)
        .add_root(root.certificate());
  }

  std::function<bool(peer_info const&, connection_info const&)> remembering() {
    return [this](peer_info const& peer, connection_info const& info) {
      told.push_back({peer.subject(), info.version, peer.verified(), info.resumed});
      return allowed;
    };
  }

  void begin(client_context const& client, server_context const& server) {
    both.emplace(client, server, client_options().host("server.test").port(443));
  }

  bool connect(client_context const& client, server_context const& server) {
    begin(client, server);
    return both->connect();
  }

  // What the server reads once the client has said all that it has to say.
  error_code server_reads() {
    std::array<char, 1> byte;
    both->server.input(both->client.output());
    both->client.consume_output(both->client.output().size());
    return both->server.read(asio::buffer(byte)).error;
  }

  std::optional<engine_pair> both;
};

// Carries what one has to say to the other.
void carry(engine& from, engine& to) {
  to.input(from.output());
  from.consume_output(from.output().size());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(last_word, fixture)

BOOST_DATA_TEST_CASE_F(fixture, a_client_has_it_on_each_connection_resumed_or_not,
                       versions* tickets, version, takes) {
  takes_tickets = takes || version == protocol::tls1_3;
  client_context const client = make_client(version).on_established(remembering());
  server_context const server = make_server();
  for (bool resumed : {false, true, true}) {
    BOOST_REQUIRE(connect(client, server));
    BOOST_TEST(told.back().resumed == resumed);
    BOOST_TEST(told.back().subject == "CN=server.test");
    BOOST_TEST(told.back().verified);
    BOOST_TEST(told.back().version == both->server.info().version);
  }
  BOOST_TEST(told.size() == 3u);
}

BOOST_DATA_TEST_CASE_F(fixture, a_server_has_it_on_each_connection_resumed_or_not,
                       versions* tickets, version, takes) {
  takes_tickets = takes || version == protocol::tls1_3;
  client_context const client = make_client(version);
  server_context const server = make_server().on_established(remembering());
  for (bool resumed : {false, true, true}) {
    BOOST_REQUIRE(connect(client, server));
    BOOST_TEST(told.back().resumed == resumed);
    BOOST_TEST(told.back().subject == "CN=person");
    BOOST_TEST(told.back().verified);
  }
  BOOST_TEST(told.size() == 3u);
}

BOOST_DATA_TEST_CASE_F(fixture, a_server_that_refuses_tells_its_client, versions, version) {
  allowed = false;
  client_context const client = make_client(version);
  server_context const server = make_server().on_established(remembering());
  BOOST_TEST(!connect(client, server));
  BOOST_TEST(both->server_code == errc::peer_not_allowed);
  BOOST_TEST(both->client_code == alert::access_denied);
  BOOST_TEST(!both->server.peer().verified());
}

BOOST_DATA_TEST_CASE_F(fixture, a_client_that_refuses_tells_its_server, versions, version) {
  allowed = false;
  client_context const client = make_client(version).on_established(remembering());
  BOOST_TEST(!connect(client, make_server()));
  BOOST_TEST(both->client_code == errc::peer_not_allowed);
  BOOST_TEST(!both->client.peer().verified());
  error_code const heard = version == protocol::tls1_2
                               ? make_error_code(alert::access_denied)
                               : make_error_code(asio::error::eof);
  BOOST_TEST(server_reads() == heard);
}

// Also where a server gives out no ticket by itself, and on resumption.
BOOST_AUTO_TEST_CASE(a_refusal_is_told_whether_or_not_there_are_tickets) {
  for (std::size_t count : {0u, 1u, 3u}) {
    allowed = true;
    client_context const client = make_client(protocol::tls1_3);
    server_context const server =
        make_server().set_session_tickets(count).on_established(remembering());
    BOOST_REQUIRE(connect(client, server));
    allowed = false;
    BOOST_TEST(!connect(client, server));
    BOOST_TEST(told.back().resumed == (count > 0));
    BOOST_TEST(both->client_code == alert::access_denied);
  }
}

BOOST_DATA_TEST_CASE_F(fixture, who_was_refused_once_is_not_let_in_by_resumption,
                       versions* tickets, version, takes) {
  takes_tickets = takes || version == protocol::tls1_3;
  allowed = false;
  client_context const client = make_client(version);
  server_context const server = make_server().on_established(remembering());
  for (int i = 0; i < 3; ++i) BOOST_TEST(!connect(client, server));
  BOOST_TEST(told.size() == 3u);
  allowed = true;
  BOOST_TEST(connect(client, server));
}

BOOST_DATA_TEST_CASE_F(fixture, a_client_forgets_the_sessions_of_a_server_that_it_refuses, versions,
                       version) {
  client_context const client = make_client(version).on_established(remembering());
  server_context const server = make_server();
  BOOST_REQUIRE(connect(client, server));
  allowed = false;
  BOOST_TEST(!connect(client, server));
  BOOST_TEST(told.back().resumed);
  BOOST_TEST(!connect(client, server));
  BOOST_TEST(!told.back().resumed);
  allowed = true;
  BOOST_TEST(connect(client, server));
  BOOST_TEST(!told.back().resumed);
}

// Of TLS 1.2 without tickets, sessions are the server's to forget.
BOOST_AUTO_TEST_CASE(a_server_forgets_the_session_of_a_client_that_it_refuses) {
  takes_tickets = false;
  client_context const client = make_client(protocol::tls1_2);
  server_context const server = make_server().on_established(remembering());
  BOOST_REQUIRE(connect(client, server));
  allowed = false;
  BOOST_TEST(!connect(client, server));
  BOOST_TEST(told.back().resumed);
  allowed = true;
  BOOST_TEST(connect(client, server));
  BOOST_TEST(!told.back().resumed);
}

BOOST_AUTO_TEST_CASE(what_an_exception_says_is_in_the_errors_text) {
  server_context const server = make_server().on_established(
      [](peer_info const&, connection_info const&) -> bool {
        throw std::runtime_error("person is on holiday");
      });
  BOOST_TEST(!connect(make_client(protocol::tls1_3), server));
  BOOST_TEST(both->server_code == errc::hook_failed);
  BOOST_TEST(std::string(both->server.last_error().what()).find("(person is on holiday)") !=
             std::string::npos);
  server_context const odd = make_server().on_established(
      [](peer_info const&, connection_info const&) -> bool { throw 1; });
  BOOST_TEST(!connect(make_client(protocol::tls1_3), odd));
  BOOST_TEST(both->server_code == errc::hook_failed);
}

// The client's data comes together with the end of its handshake.
BOOST_DATA_TEST_CASE_F(fixture, a_server_that_reads_first_is_given_nothing_of_a_client_it_refuses,
                       versions, version) {
  for (bool let_in : {true, false}) {
    allowed = let_in;
    server_context const server = make_server().on_established(remembering());
    begin(make_client(version), server);
    std::string read(4, '\0');
    step last;
    bool written = false;
    for (int flight = 0; flight < 4; ++flight) {
      step const shaken = both->client.handshake();
      if (!written && shaken.want == want::nothing && !shaken.error) {
        both->client.write(asio::buffer("data", 4));
        written = true;
      }
      carry(both->client, both->server);
      if (last.bytes == 0 && !last.error) last = both->server.read(asio::buffer(read));
      carry(both->server, both->client);
    }
    // In TLS 1.2 an alert comes in the place of the server's last words.
    BOOST_REQUIRE(written == (let_in || version == protocol::tls1_3));
    BOOST_TEST(last.bytes == (let_in ? 4u : 0u));
    BOOST_TEST(read == (let_in ? "data" : std::string(4, '\0')));
    BOOST_TEST(last.error == (let_in ? error_code() : make_error_code(errc::peer_not_allowed)));
    BOOST_TEST(both->server.read(asio::buffer(read)).error == last.error);
  }
}

BOOST_DATA_TEST_CASE_F(fixture, a_client_that_writes_first_sends_nothing_to_a_server_it_refuses,
                       versions, version) {
  for (bool let_in : {true, false}) {
    allowed = let_in;
    begin(make_client(version).on_established(remembering()), make_server());
    std::string read(4, '\0');
    step written;
    step last;
    for (int flight = 0; flight < 4; ++flight) {
      if (written.bytes == 0 && !written.error) {
        written = both->client.write(asio::buffer("data", 4));
      }
      carry(both->client, both->server);
      last = both->server.read(asio::buffer(read));
      if (last.bytes > 0 || last.error) break;
      carry(both->server, both->client);
    }
    BOOST_TEST(written.bytes == (let_in ? 4u : 0u));
    BOOST_TEST(last.bytes == (let_in ? 4u : 0u));
    BOOST_TEST(written.error ==
               (let_in ? error_code() : make_error_code(errc::peer_not_allowed)));
  }
}

BOOST_DATA_TEST_CASE_F(fixture, a_connection_that_was_refused_is_of_no_use, versions, version) {
  allowed = false;
  server_context const server = make_server().on_established(remembering());
  BOOST_TEST(!connect(make_client(version), server));
  std::array<char, 1> byte;
  BOOST_TEST(both->server.read(asio::buffer(byte)).error == errc::peer_not_allowed);
  BOOST_TEST(both->server.write(asio::buffer("x", 1)).error == errc::peer_not_allowed);
  BOOST_TEST(both->server.handshake().error == errc::peer_not_allowed);
  BOOST_TEST(both->server.shutdown().error == errc::peer_not_allowed);
  BOOST_TEST(told.size() == 1u);
}

BOOST_DATA_TEST_CASE_F(fixture, an_empty_one_accepts_all, versions, version) {
  allowed = false;
  server_context const server =
      make_server().on_established(remembering()).on_established(nullptr);
  BOOST_TEST(connect(make_client(version), server));
  BOOST_TEST(told.empty());
}

BOOST_DATA_TEST_CASE_F(fixture, an_adopted_context_has_it_too, versions, version) {
  allowed = false;
  server_context server((asio::ssl::context(asio::ssl::context::tls_server)));
  server.use(of_server.identity()).on_established(remembering());
  BOOST_TEST(!connect(make_client(version), server));
  BOOST_TEST(both->server_code == errc::peer_not_allowed);
}

// Who sends the extension whose callback says why a connection ends is none the worse for it.
BOOST_DATA_TEST_CASE_F(fixture, a_client_may_send_any_extension, versions, version) {
  client_context const client = make_client(version);
  SSL_CTX_add_custom_ext(
      client.native_handle(), 0xffcd, SSL_EXT_CLIENT_HELLO,
      [](SSL*, unsigned, unsigned, unsigned char const** out, std::size_t* size, X509*, std::size_t,
         int*, void*) {
        *out = nullptr;
        *size = 0;
        return 1;
      },
      nullptr, nullptr, nullptr, nullptr);
  BOOST_TEST(connect(client, make_server().on_established(remembering())));
  BOOST_TEST(told.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::established_test
