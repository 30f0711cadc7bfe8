// Sessions are kept and resumed with nothing but what was verified, and would be today.

#include "engine_pair.hpp"
#include "openssl/openssl_ptr.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/core_names.h>
#include <openssl/rand.h>

#include <cstdio>
#include <cstring>
#include <ctime>

namespace cotls::test::session_trust_test {
namespace {

using namespace std::chrono_literals;

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});
auto const tickets = boost::unit_test::data::make({true, false});

// Verifies from now on as at another time.
void move_time(context const& of, std::chrono::hours by) {
  X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(of.native_handle()),
                             std::time(nullptr) + std::chrono::seconds(by).count());
}

void revoke_in(temporary_directory const& directory, authority const& by,
               std::vector<certificate> const& revoked) {
  char name[16];
  certificate const issuer = by.certificate();
  std::snprintf(name, sizeof name, "%08lx.r0",
                X509_NAME_hash_ex(X509_get_subject_name(issuer.native_handle()), nullptr, nullptr,
                                  nullptr));
  directory.write(name, by.revocation_list(revoked));
}

// Clients with certificates of an intermediate authority, which a server of a root verifies.
struct fixture {
  authority root{"root"};
  authority clients{"clients"};
  authority between = clients.make_intermediate("between");
  issued shown = between.issue(certificate_request({"client"}).use(purpose::client));
  issued server_identity = root.issue(certificate_request({"server.test"}));
  temporary_directory directory;
  bool takes_tickets = true;

  client_context make_client(protocol version = protocol::secure) const {
    client_context made = client_context(version)
                              .add_root(root.certificate())
                              .use(shown.identity())
                              .load_verify_roots({}, directory.path());
    if (!takes_tickets) SSL_CTX_set_options(made.native_handle(), SSL_OP_NO_TICKET);
    return made;
  }

  server_context make_server(verify mode = verify::required) const {
    return server_context()
        .use(server_identity.identity())
        .set_verify(mode)
        .set_session_lifetime(96h)   // longer than time is moved
        .add_root(clients.certificate())
        .load_verify_roots({}, directory.path());
  }

  static client_options there() { return client_options().host("server.test").port(443); }

  // Connects once; how it went is in `both`.
  bool connect(client_context const& client, server_context const& server) {
    both.emplace(client, server, there());
    return both->connect();
  }

  bool resumed() const {
    BOOST_TEST(both->client.info().resumed == both->server.info().resumed);
    return both->server.info().resumed;
  }

  std::optional<engine_pair> both;
};

// The keys of a TLS 1.2 server that renews a ticket at each resumption, and knows a ticket for one
// generation more.
int generation = 0;

int on_ticket_key(SSL*, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                  EVP_MAC_CTX* mac, int encrypts) {
  unsigned char key[32] = {};
  if (encrypts == 1) {
    std::memset(name, 0, 16);
    name[0] = static_cast<unsigned char>(generation);
    RAND_bytes(iv, 16);
  }
  int const age = generation - name[0];
  if (age > 1) return 0;
  char digest[] = "sha256";
  OSSL_PARAM const parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, sizeof key),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  EVP_MAC_CTX_set_params(mac, parameters);
  EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key, iv, encrypts);
  return age > 0 ? 2 : 1;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(session_trust, fixture)

BOOST_DATA_TEST_CASE_F(fixture, a_client_that_is_still_trusted_is_resumed_again_and_again,
                       versions* tickets, version, takes) {
  takes_tickets = takes || version == protocol::tls1_3;
  client_context const client = make_client(version);
  server_context const server = make_server();
  for (bool expected : {false, true, true, true}) {
    BOOST_REQUIRE(connect(client, server));
    BOOST_TEST(resumed() == expected);
    BOOST_TEST(both->server.peer().verified());
    BOOST_TEST(both->server.peer().subject() == "CN=client");
    BOOST_TEST(both->client.peer().verified());
  }
}

// What is in a ticket comes back in a hello, whose length is limited.
BOOST_DATA_TEST_CASE_F(fixture, a_client_with_a_long_chain_is_not_refused_for_its_ticket, versions,
                       version) {
  issued const more = between.issue(certificate_request({"more"}));
  for (std::size_t size = 0; size < 15'300; size += more.leaf().der().size()) {
    shown.intermediates += more.certificate;
  }
  client_context const client = make_client(version);
  server_context const server = make_server();
  for (int i = 0; i < 3; ++i) BOOST_TEST(connect(client, server));
}

BOOST_AUTO_TEST_CASE(a_connection_that_was_given_a_foreign_context_keeps_no_session_of_ours) {
  takes_tickets = false;
  server_context const server = make_server(verify::none);
  asio::ssl::context foreign(asio::ssl::context::tls_server);
  SSL_CTX_use_certificate(foreign.native_handle(), server_identity.leaf().native_handle());
  SSL_CTX_use_PrivateKey(foreign.native_handle(),
                         server_identity.identity().key().native_handle());
  SSL_CTX_set_client_hello_cb(
      server.native_handle(),
      [](SSL* of, int*, void* other) {
        SSL_set_SSL_CTX(of, static_cast<SSL_CTX*>(other));
        return SSL_CLIENT_HELLO_SUCCESS;
      },
      foreign.native_handle());
  client_context const client = make_client(protocol::tls1_2);
  for (int i = 0; i < 2; ++i) {
    connect(client, server);   // what comes of it is the program's affair
    BOOST_TEST(!both->server.info().resumed);
  }
}

// What `connection_info` and `peer_info` say of it.
BOOST_DATA_TEST_CASE_F(fixture, of_a_resumed_connection_the_same_is_known_but_for_what_is_not_kept,
                       versions* tickets, version, takes) {
  takes_tickets = takes || version == protocol::tls1_3;
  client_context const client = make_client(version);
  server_context const server = make_server();
  BOOST_REQUIRE(connect(client, server));
  std::string const group = both->client.info().group;
  BOOST_TEST(!group.empty());
  BOOST_TEST(both->server.info().server_name == "server.test");
  BOOST_TEST(both->server.peer().chain().size() == 2u);
  BOOST_REQUIRE(connect(client, server));
  BOOST_TEST(resumed());
  BOOST_TEST(both->client.info().group == group);
  BOOST_TEST(both->server.info().group == group);
  BOOST_TEST(both->client.info().server_name == "server.test");
  BOOST_TEST(both->server.info().server_name.empty() == (version == protocol::tls1_2));
  BOOST_TEST(both->server.peer().chain().size() == (takes_tickets ? 1u : 2u));
}

BOOST_DATA_TEST_CASE_F(fixture, a_client_whose_certificate_has_expired_is_not_resumed,
                       versions* tickets, version, takes) {
  takes_tickets = takes || version == protocol::tls1_3;
  client_context const client = make_client(version);
  server_context const server = make_server();
  BOOST_REQUIRE(connect(client, server));
  move_time(server, 48h);
  BOOST_TEST(!connect(client, server));
  BOOST_TEST(!resumed());
  BOOST_TEST(both->client_code == alert::certificate_expired);
  BOOST_TEST(both->server.last_error().verify_result() == X509_V_ERR_CERT_HAS_EXPIRED);
  BOOST_TEST(!both->server.peer().verified());
}

BOOST_DATA_TEST_CASE_F(fixture, a_client_that_was_revoked_meanwhile_is_not_resumed,
                       versions* tickets, version, takes) {
  takes_tickets = takes || version == protocol::tls1_3;
  client_context const client = make_client(version);
  server_context const server = make_server();
  BOOST_REQUIRE(connect(client, server));
  revoke_in(directory, between, {shown.leaf()});
  BOOST_TEST(!connect(client, server));
  BOOST_TEST(both->client_code == alert::certificate_revoked);
}

BOOST_DATA_TEST_CASE_F(fixture, an_authority_that_was_revoked_meanwhile_ends_resumption,
                       versions, version) {
  client_context const client = make_client(version);
  server_context const server = make_server();
  BOOST_REQUIRE(connect(client, server));
  revoke_in(directory, clients, {between.certificate()});
  BOOST_TEST(!connect(client, server));
  BOOST_TEST(both->client_code == alert::certificate_revoked);
}

BOOST_DATA_TEST_CASE_F(fixture, a_session_without_a_certificate_does_not_stand_for_one,
                       versions* tickets, version, takes) {
  takes_tickets = takes || version == protocol::tls1_3;
  client_context client(version);
  client.add_root(root.certificate());
  if (!takes_tickets) SSL_CTX_set_options(client.native_handle(), SSL_OP_NO_TICKET);
  server_context const server = make_server(verify::optional);
  for (bool expected : {false, true}) {
    BOOST_REQUIRE(connect(client, server));
    BOOST_TEST(resumed() == expected);
    BOOST_TEST(!both->server.peer().verified());
  }
  both.emplace(client, server, there());
  SSL_set_verify(both->server.native_handle(),
                 SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  BOOST_TEST(!both->connect());
}

BOOST_DATA_TEST_CASE_F(fixture, a_server_that_asks_for_nothing_resumes_whatever_the_time,
                       versions, version) {
  client_context const client = make_client(version);
  server_context const server = make_server(verify::none);
  BOOST_REQUIRE(connect(client, server));
  move_time(server, 48h);
  BOOST_TEST(connect(client, server));
  BOOST_TEST(resumed());
}

BOOST_AUTO_TEST_CASE(without_tickets_set_nobody_resumes) {
  for (bool takes : {true, false}) {
    takes_tickets = takes;
    client_context const client = make_client(protocol::tls1_2);
    server_context const server = make_server().set_session_tickets(0);
    for (int i = 0; i < 2; ++i) {
      BOOST_REQUIRE(connect(client, server));
      BOOST_TEST(!resumed());
    }
  }
}

BOOST_DATA_TEST_CASE_F(fixture, a_session_of_a_connection_that_was_not_verified_is_not_kept,
                       versions, version) {
  client_context client(version);
  client.add_root(clients.certificate());   // not the server's
  server_context const server = make_server(verify::none);
  both.emplace(client, server, there());
  SSL_set_verify(both->client.native_handle(), SSL_VERIFY_NONE, nullptr);   // it only looks
  BOOST_REQUIRE(both->connect());
  BOOST_TEST(!connect(client, server));
  BOOST_TEST(both->client.last_error().verify_result() ==
             X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
}

BOOST_DATA_TEST_CASE_F(fixture, a_context_that_asks_for_nothing_does_not_lend_its_sessions_to_who_does,
                       versions, version) {
  client_context client(version);
  client.set_verify(verify::none);
  server_context const server = make_server(verify::none);
  BOOST_REQUIRE(connect(client, server));
  BOOST_REQUIRE(connect(client, server));
  BOOST_TEST(resumed());
  both.emplace(client, server, there());
  SSL_set_verify(both->client.native_handle(), SSL_VERIFY_PEER, nullptr);
  BOOST_TEST(!both->connect());
  BOOST_TEST(!both->client.peer().verified());
}

BOOST_DATA_TEST_CASE_F(fixture, a_server_that_would_be_refused_today_is_not_resumed, versions,
                       version) {
  server_context const server = make_server(verify::none);
  client_context const late = make_client(version);
  BOOST_REQUIRE(connect(late, server));
  move_time(late, 48h);
  BOOST_TEST(!connect(late, server));
  BOOST_TEST(both->client.last_error().verify_result() == X509_V_ERR_CERT_HAS_EXPIRED);

  client_context const told = make_client(version);
  BOOST_REQUIRE(connect(told, server));
  revoke_in(directory, root, {server_identity.leaf()});
  BOOST_TEST(!connect(told, server));
  BOOST_TEST(both->client.last_error().verify_result() == X509_V_ERR_CERT_REVOKED);
}

BOOST_AUTO_TEST_CASE(a_chain_that_was_refused_before_a_full_handshake_is_not_its_failure) {
  client_context const client = make_client(protocol::tls1_3);
  server_context const server = make_server(verify::none);
  BOOST_REQUIRE(connect(client, server));
  move_time(client, 48h);
  both.emplace(client, server, there());
  step const first = both->client.handshake();   // offers nothing: the session's chain is refused
  BOOST_TEST(!first.error);
  both->client.input(asio::buffer("no TLS at all", 13));
  BOOST_TEST(both->client.handshake().error);
  BOOST_TEST(both->client.last_error().verify_result() == X509_V_OK);
}

BOOST_AUTO_TEST_CASE(a_ticket_that_is_renewed_at_a_resumption_takes_the_old_ones_place) {
  server_context const server = make_server(verify::none);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(server.native_handle(), on_ticket_key);
  client_context const client = make_client(protocol::tls1_2);
  for (generation = 0; generation < 6; ++generation) {
    BOOST_REQUIRE(connect(client, server));
    BOOST_TEST(resumed() == (generation > 0));
  }
}

BOOST_AUTO_TEST_CASE(the_same_address_on_another_link_is_another_server) {
  issued const linked = root.issue(certificate_request({"fe80::1"}));
  server_context const server = server_context().use(linked.identity());
  client_context const client = make_client();
  for (char const* host : {"fe80::1%1", "fe80::1%1"}) {
    both.emplace(client, server, client_options().host(host).port(443));
    BOOST_REQUIRE(both->connect());
    BOOST_TEST(!resumed());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::session_trust_test
