// What is known of the peer: the chain that was verified, or why none was.

#include "engine_pair.hpp"
#include "pki.hpp"
#include "print.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/x509_vfy.h>

#include <optional>

namespace cotls::test::peer_test {
namespace {

using namespace std::chrono_literals;
using strings = std::vector<std::string>;

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

strings subjects_of(std::vector<certificate> const& chain) {
  strings all;
  for (certificate const& each : chain) all.push_back(each.subject());
  return all;
}

// Both ends have a certificate of an intermediate authority, and ask for the other's.
struct fixture {
  authority root{"root"};
  authority between = root.make_intermediate("between");
  certificate_request server_request = certificate_request({"server.test"});
  certificate_request client_request =
      certificate_request({"client"})
          .use(purpose::client)
          .alternative_names("URI:spiffe://example.org/billing");

  client_context make_client(protocol version = protocol::secure) const {
    return client_context(version)
        .add_root(root.certificate())
        .use(between.issue(client_request).identity());
  }

  server_context make_server(verify mode = verify::required) const {
    return server_context()
        .use(between.issue(server_request).identity())
        .set_verify(mode)
        .add_root(root.certificate());
  }

  bool connect(client_context const& client, server_context const& server) {
    both.emplace(client, server, client_options().host("server.test").port(443));
    return both->connect();
  }

  std::optional<engine_pair> both;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(peers, fixture)

BOOST_DATA_TEST_CASE_F(fixture, the_verified_chain_leads_to_the_root_that_nobody_sent, versions,
                       version) {
  BOOST_REQUIRE(connect(make_client(version), make_server()));
  peer_info const server = both->client.peer();
  BOOST_TEST(subjects_of(server.chain()) == (strings{"CN=server.test", "CN=between"}),
             boost::test_tools::per_element());
  BOOST_TEST(subjects_of(server.verified_chain()) ==
                 (strings{"CN=server.test", "CN=between", "CN=root"}),
             boost::test_tools::per_element());
  BOOST_TEST(subjects_of(both->server.peer().verified_chain()) ==
                 (strings{"CN=client", "CN=between", "CN=root"}),
             boost::test_tools::per_element());
  BOOST_TEST(server.verify_result() == X509_V_OK);
  BOOST_TEST(server.verify_reason() == "");
}

BOOST_DATA_TEST_CASE_F(fixture, a_resumed_connection_is_verified_without_a_verified_chain, versions,
                       version) {
  client_context const client = make_client(version);
  server_context const server = make_server();
  BOOST_REQUIRE(connect(client, server));
  BOOST_REQUIRE(connect(client, server));
  BOOST_REQUIRE(both->client.info().resumed);
  for (peer_info const& each : {both->client.peer(), both->server.peer()}) {
    BOOST_TEST(each.verified());
    BOOST_TEST(each.verify_result() == X509_V_OK);
    BOOST_TEST(each.verified_chain().empty());
    BOOST_TEST(!each.chain().empty());
  }
}

BOOST_DATA_TEST_CASE_F(fixture, without_verification_it_is_said_what_it_would_have_said, versions,
                       version) {
  server_request.valid(-2h, -1h);
  client_context client(version);
  client.add_root(root.certificate()).set_verify(verify::none);
  BOOST_REQUIRE(connect(client, make_server(verify::none)));
  peer_info const server = both->client.peer();
  BOOST_TEST(!server.verified());
  BOOST_TEST(server.verify_result() == X509_V_ERR_CERT_HAS_EXPIRED);
  BOOST_TEST(server.verify_reason() == "certificate has expired");
  BOOST_TEST(server.verified_chain().empty());
  BOOST_TEST(server.matches("server.test"));
}

BOOST_DATA_TEST_CASE_F(fixture, of_a_peer_that_was_refused_the_reason_alone_is_known, versions,
                       version) {
  server_request.valid(-2h, -1h);
  BOOST_REQUIRE(!connect(make_client(version), make_server()));
  peer_info const server = both->client.peer();
  BOOST_TEST(!server.verified());
  BOOST_TEST(server.verify_result() == X509_V_ERR_CERT_HAS_EXPIRED);
  BOOST_TEST(server.verified_chain().empty());
}

// T8: OpenSSL has nothing against a certificate that is not there.
BOOST_DATA_TEST_CASE_F(fixture, nothing_is_held_against_a_client_without_certificate_nor_verified,
                       versions, version) {
  client_context client(version);
  client.add_root(root.certificate());
  BOOST_REQUIRE(connect(client, make_server(verify::optional)));
  peer_info const nobody = both->server.peer();
  BOOST_TEST(nobody.verify_result() == X509_V_OK);
  BOOST_TEST(!nobody.verified());
  BOOST_TEST(nobody.verified_chain().empty());
  BOOST_TEST(!nobody.matches("client"));
  BOOST_TEST(nobody.uri_names().empty());
  BOOST_TEST(nobody.spiffe_id() == "");
  BOOST_TEST(!nobody.in_trust_domain(""));
}

BOOST_AUTO_TEST_CASE(before_the_handshake_is_done_nothing_is_held_against_anybody) {
  both.emplace(make_client(), make_server(), client_options().host("server.test"));
  both->client.handshake();
  BOOST_TEST(both->client.peer().verify_result() == X509_V_OK);
  BOOST_TEST(!both->client.peer().verified());
}

// The result of the earlier connection is not yet this one's.
BOOST_AUTO_TEST_CASE(the_result_of_a_session_that_is_only_offered_is_not_told) {
  server_request.valid(-2h, -1h);
  client_context client = client_context().add_root(root.certificate()).set_verify(verify::none);
  server_context const server = make_server(verify::none);
  BOOST_REQUIRE(connect(client, server));
  BOOST_TEST(both->client.peer().verify_result() == X509_V_ERR_CERT_HAS_EXPIRED);
  engine next(client, client_options().host("server.test").port(443));
  next.handshake();
  BOOST_TEST(next.peer().verify_result() == X509_V_OK);
}

BOOST_AUTO_TEST_CASE(a_workload_that_was_verified_is_in_its_trust_domain) {
  BOOST_REQUIRE(connect(make_client(), make_server()));
  peer_info const client = both->server.peer();
  BOOST_TEST(client.spiffe_id() == "spiffe://example.org/billing");
  BOOST_TEST(client.uri_names() == strings{"spiffe://example.org/billing"},
             boost::test_tools::per_element());
  BOOST_TEST(client.in_trust_domain("example.org"));
  BOOST_TEST(!client.in_trust_domain("example.com"));
}

BOOST_AUTO_TEST_CASE(a_workload_that_was_not_verified_is_in_no_trust_domain) {
  server_request.alternative_names("DNS:server.test,URI:spiffe://example.org/billing");
  client_context client = make_client().set_verify(verify::none);
  BOOST_REQUIRE(connect(client, make_server()));
  BOOST_TEST(both->client.peer().spiffe_id() == "spiffe://example.org/billing");
  BOOST_TEST(!both->client.peer().in_trust_domain("example.org"));
}

BOOST_AUTO_TEST_CASE(a_peer_matches_each_of_its_names_and_no_other) {
  server_request = certificate_request({"server.test", "other.test"});
  BOOST_REQUIRE(connect(make_client(), make_server()));
  BOOST_TEST(both->client.peer().matches("other.test"));
  BOOST_TEST(!both->client.peer().matches("elsewhere.test"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::peer_test
