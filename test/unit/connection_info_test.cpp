// What is known of a connection: how both ends proved who they are, and what went over it.

#include "engine_pair.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "rsa_identity.hpp"
#include "tls.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <optional>
#include <string>

namespace cotls::test::connection_info_test {
namespace {

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

identity ed25519_identity() {
  detail::pkey_ptr const made(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  private_key const key = private_key::from_native(made.get());
  certificate const leaf = self_signed_for(key, "ed.test");
  X509_sign(leaf.native_handle(), made.get(), nullptr);
  return identity(certificate_chain({certificate::from_der(leaf.der())}), key);
}

struct fixture {
  bool connect(client_context const& client, server_context const& server) {
    both.emplace(client, server, client_options().host("localhost").port(443));
    return both->connect();
  }

  connection_info client() const { return both->client.info(); }
  connection_info server() const { return both->server.info(); }

  std::optional<engine_pair> both;
};

client_context anybodys(protocol version) {
  return client_context(version).set_verify(verify::none);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(connections, fixture)

BOOST_DATA_TEST_CASE_F(fixture, a_signature_is_called_by_its_algorithm_and_its_digest, versions,
                       version) {
  struct {
    identity shown;
    char const* name;
  } const all[] = {{localhost_identity(), "ecdsa_sha256"},
                   {rsa_identity(), "rsa_pss_sha256"},
                   {ed25519_identity(), "ed25519"}};
  for (auto const& each : all) {
    BOOST_REQUIRE(connect(anybodys(version), server_context().use(each.shown)));
    BOOST_TEST(server().signature == each.name);
    BOOST_TEST(client().peer_signature == each.name);
  }
}

BOOST_DATA_TEST_CASE_F(fixture, a_client_has_signed_with_a_certificate_alone, versions, version) {
  server_context const asking = localhost_server()
                                    .set_verify(verify::optional)
                                    .add_root(rsa_identity().chain().leaf());
  BOOST_REQUIRE(connect(localhost_client(version), asking));
  BOOST_TEST(client().signature == "");
  BOOST_TEST(server().peer_signature == "");
  BOOST_REQUIRE(connect(localhost_client(version).use(rsa_identity()), asking));
  BOOST_TEST(client().signature == "rsa_pss_sha256");
  BOOST_TEST(server().peer_signature == "rsa_pss_sha256");
  BOOST_TEST(server().signature == "ecdsa_sha256");
}

BOOST_DATA_TEST_CASE_F(fixture, who_resumes_has_signed_nothing, versions, version) {
  client_context const at_client = localhost_client(version);
  server_context const at_server = localhost_server();
  BOOST_REQUIRE(connect(at_client, at_server));
  BOOST_REQUIRE(connect(at_client, at_server));
  BOOST_REQUIRE(client().resumed);
  for (connection_info const& each : {client(), server()}) {
    BOOST_TEST(each.signature == "");
    BOOST_TEST(each.peer_signature == "");
    BOOST_TEST(each.extended_master_secret);
  }
}

BOOST_DATA_TEST_CASE_F(fixture, keys_are_bound_to_their_handshake, versions, version) {
  BOOST_REQUIRE(connect(localhost_client(version), localhost_server()));
  BOOST_TEST(client().extended_master_secret);
  BOOST_TEST(server().extended_master_secret);
}

BOOST_AUTO_TEST_CASE(keys_of_a_peer_that_knows_no_extended_master_secret_are_not_bound) {
  client_context old = localhost_client(protocol::tls1_2);
  SSL_CTX_set_options(old.native_handle(), SSL_OP_NO_EXTENDED_MASTER_SECRET);
  BOOST_REQUIRE(connect(old, localhost_server()));
  BOOST_TEST(!client().extended_master_secret);
  BOOST_TEST(!server().extended_master_secret);
}

BOOST_AUTO_TEST_CASE(before_the_handshake_is_done_nothing_of_it_is_claimed) {
  both.emplace(localhost_client(), localhost_server(), client_options().host("localhost"));
  both->client.handshake();
  BOOST_TEST(!client().extended_master_secret);
  BOOST_TEST(client().signature == "");
  BOOST_TEST(client().peer_signature == "");
}

BOOST_AUTO_TEST_CASE(a_handshake_says_how_often_it_has_waited_for_an_answer) {
  struct {
    protocol version;
    bool resumes;
    unsigned client;
    unsigned server;
  } const all[] = {{protocol::tls1_3, false, 1, 1},
                   {protocol::tls1_3, true, 1, 1},
                   {protocol::tls1_2, false, 2, 1},
                   {protocol::tls1_2, true, 1, 1}};
  for (auto const& each : all) {
    client_context const at_client = localhost_client(each.version);
    server_context const at_server = localhost_server();
    if (each.resumes) BOOST_REQUIRE(connect(at_client, at_server));
    BOOST_REQUIRE(connect(at_client, at_server));
    BOOST_REQUIRE(client().resumed == each.resumes);
    BOOST_TEST(client().round_trips == each.client);
    BOOST_TEST(server().round_trips == each.server);
    BOOST_TEST(!client().hello_retried);
    BOOST_TEST(!server().hello_retried);
  }
}

BOOST_AUTO_TEST_CASE(a_second_hello_costs_a_round_trip_and_is_told) {
  client_context const at_client = localhost_client(protocol::tls1_3).set_groups("X25519:P-256");
  BOOST_REQUIRE(connect(at_client, localhost_server().set_groups("P-256")));
  for (connection_info const& each : {client(), server()}) {
    BOOST_TEST(each.round_trips == 2u);
    BOOST_TEST(each.hello_retried);
  }
}

// By bytes that come one at a time nobody waits more often.
BOOST_AUTO_TEST_CASE(a_flight_in_pieces_is_one) {
  both.emplace(localhost_client(), localhost_server(), client_options().host("localhost"));
  engine& from = both->client;
  for (bool done = false; !done;) {
    step const next = from.handshake();
    BOOST_REQUIRE(!next.error);
    done = next.want == want::nothing;
    std::string const said(static_cast<char const*>(from.output().data()), from.output().size());
    from.consume_output(said.size());
    for (char const& each : said) {
      both->server.input(asio::buffer(&each, 1));
      both->server.handshake();
    }
    both->client.input(both->server.output());
    both->server.consume_output(both->server.output().size());
  }
  BOOST_TEST(client().round_trips == 1u);
  BOOST_TEST(server().round_trips == 1u);
}

BOOST_DATA_TEST_CASE_F(fixture, what_one_end_sends_the_other_receives_to_the_byte, versions,
                       version) {
  both.emplace(localhost_client(version), localhost_server(), client_options().host("localhost"));
  BOOST_TEST(client().bytes_sent == 0u);
  BOOST_TEST(client().bytes_received == 0u);
  both->client.handshake();
  BOOST_TEST(client().bytes_sent == both->client.output().size());
  BOOST_REQUIRE(both->connect());
  BOOST_TEST(client().bytes_sent == server().bytes_received);
  BOOST_TEST(client().bytes_received == server().bytes_sent);
  std::uint64_t const before = client().bytes_sent;
  std::string text(1000, 'x');
  both->client.write(asio::buffer(text));
  std::size_t const ciphertext = both->client.output().size();
  BOOST_TEST(ciphertext > 1000u);
  BOOST_TEST(client().bytes_sent == before + ciphertext);
  BOOST_TEST(server().bytes_received == before);
  both->server.input(both->client.output());
  both->server.read(asio::buffer(text));
  BOOST_TEST(server().bytes_received == before + ciphertext);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::connection_info_test
