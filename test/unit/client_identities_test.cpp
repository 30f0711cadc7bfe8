// Several identities of a client: which of them a server is shown, by what it asks for.

#include "context/context_state.hpp"
#include "engine/seal.hpp"
#include "engine_pair.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "raw_connection.hpp"
#include "rsa_identity.hpp"
#include "temporary_directory.hpp"

#include <cotls/context.hpp>
#include <cotls/detail/support/access.hpp>
#include <cotls/error.hpp>

#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace cotls::test::client_identities_test {
namespace {

namespace data = boost::unit_test::data;

auto const both_versions = data::make({protocol::tls1_2, protocol::tls1_3});

SSL_CTX* sealed(context const& of) {
  detail::seal(of);
  return detail::access::state(of)->handle();
}

identity issue(authority const& by, std::string const& name, key_kind kind = key_kind::ec_p256) {
  return by.issue(certificate_request({name}).key(kind).use(purpose::client)).identity();
}

// Of two authorities, of which one has another between itself and those it vouches for.
struct fixture {
  authority const near = authority("near.test");
  authority const far = authority("far.test");
  authority const between = far.make_intermediate("between.test");
  authority const stranger = authority("stranger.test");
  identity const of_near = issue(near, "of-near");
  identity const of_far = issue(between, "of-far");
  identity const rsa_of_near = issue(near, "rsa-of-near", key_kind::rsa_2048);
  identity const rsa_of_far = issue(between, "rsa-of-far", key_kind::rsa_2048);
  identity const of_server =
      near.issue(certificate_request({"server.test"})).identity();
  temporary_directory directory;

  // Takes whatever certificate a client shows, or none.
  server_context asking(protocol version, std::vector<authority> const& suggested = {}) const {
    server_context server = server_context(version).use(of_server).set_verify(verify::ask);
    for (authority const& each : suggested) {
      server.load_suggested_authorities(directory.write("authority.pem", each.pem()));
    }
    return server;
  }

  server_context asking_for(protocol version, char const* algorithms,
                            std::vector<authority> const& suggested = {}) const {
    server_context server = asking(version, suggested);
    SSL_CTX_set1_client_sigalgs_list(server.native_handle(), algorithms);
    return server;
  }

  client_context client() const { return client_context().set_verify(verify::none); }

  client_context with_both() const { return client().use(of_near).also_use(of_far); }
};

// The subject that a server sees; empty for a client that shows none.
std::string seen_by(SSL* server) {
  X509* const shown = SSL_get0_peer_certificate(server);
  return shown ? certificate::from_native(shown).subject() : std::string();
}

std::string seen(server_context const& server, client_context const& client) {
  raw_connection both(sealed(client), sealed(server));
  BOOST_REQUIRE(both.handshake());
  return seen_by(both.server.get());
}

// Lets a server ask once more, after the handshake, and suggest one authority (RFC 8446 section
// 4.6.2).
std::string seen_when_asked_again(raw_connection& both, authority const& suggested) {
  detail::x509_name_ptr name(
      X509_NAME_dup(X509_get_subject_name(suggested.certificate().native_handle())));
  STACK_OF(X509_NAME)* const names = sk_X509_NAME_new_null();
  sk_X509_NAME_push(names, name.release());
  SSL_set_client_CA_list(both.server.get(), names);
  BOOST_REQUIRE(SSL_verify_client_post_handshake(both.server.get()) == 1);
  char unread = 0;
  BOOST_REQUIRE(SSL_do_handshake(both.server.get()) == 1);
  SSL_read(both.client.get(), &unread, 1);
  SSL_read(both.server.get(), &unread, 1);
  detail::clear_openssl_errors();
  return seen_by(both.server.get());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(client_identities, fixture)

BOOST_DATA_TEST_CASE_F(fixture, the_first_is_shown_whose_issuer_is_named, both_versions, version) {
  BOOST_TEST(seen(asking(version, {near}), with_both()) == "CN=of-near");
  BOOST_TEST(seen(asking(version, {between}), with_both()) == "CN=of-far");
  BOOST_TEST(seen(asking(version, {far}), with_both()) == "CN=of-far");   // its issuer's issuer
  BOOST_TEST(seen(asking(version, {stranger, far}), with_both()) == "CN=of-far");
  BOOST_TEST(seen(asking(version, {far, near}), with_both()) == "CN=of-near");
}

BOOST_DATA_TEST_CASE_F(fixture, the_first_is_shown_where_no_authority_is_named, both_versions,
                       version) {
  BOOST_TEST(seen(asking(version), with_both()) == "CN=of-near");
  BOOST_TEST(seen(asking(version), client().use(of_far).also_use(of_near)) == "CN=of-far");
  BOOST_TEST(seen(asking(version), client().also_use(of_far).also_use(of_near)) == "CN=of-far");
}

BOOST_DATA_TEST_CASE_F(fixture, none_is_shown_when_none_fits, both_versions, version) {
  BOOST_TEST(seen(asking(version, {stranger}), with_both()) == "");
  BOOST_TEST(seen(asking_for(version, "ed25519"), with_both()) == "");
}

BOOST_DATA_TEST_CASE_F(fixture, a_lone_one_is_shown_whatever_authorities_are_named, both_versions,
                       version) {
  BOOST_TEST(seen(asking(version, {stranger}), client().use(of_near)) == "CN=of-near");
  BOOST_TEST(seen(asking(version, {stranger}), client().also_use(of_far)) == "CN=of-far");
}

BOOST_DATA_TEST_CASE_F(fixture, a_server_that_does_not_ask_is_shown_none, both_versions, version) {
  server_context const server = server_context(version).use(of_server);
  BOOST_TEST(seen(server, with_both()) == "");
}

BOOST_DATA_TEST_CASE_F(fixture, the_algorithms_choose_among_types, both_versions, version) {
  client_context const all =
      client().use(of_near).also_use(of_far).also_use(rsa_of_near).also_use(rsa_of_far);
  char const* const rsa = "rsa_pss_rsae_sha256";
  char const* const ec = "ECDSA+SHA256";
  BOOST_TEST(seen(asking_for(version, rsa), all) == "CN=rsa-of-near");
  BOOST_TEST(seen(asking_for(version, rsa, {far}), all) == "CN=rsa-of-far");
  BOOST_TEST(seen(asking_for(version, ec), all) == "CN=of-near");
  BOOST_TEST(seen(asking_for(version, ec, {far}), all) == "CN=of-far");
  BOOST_TEST(seen(asking_for(version, rsa), with_both()) == "");
}

BOOST_AUTO_TEST_CASE(in_tls_1_2_a_server_may_ask_for_types) {
  server_context const server = asking(protocol::tls1_2);
  unsigned char const rsa_alone = TLS_CT_RSA_SIGN;
  SSL_CTX_set1_client_certificate_types(server.native_handle(), &rsa_alone, 1);
  BOOST_TEST(seen(server, client().use(of_near).also_use(rsa_of_far)) == "CN=rsa-of-far");
  BOOST_TEST(seen(server, with_both()) == "");
}

BOOST_DATA_TEST_CASE_F(fixture, the_chain_is_the_chosen_ones, both_versions, version) {
  server_context const server =
      asking(version, {far}).add_root(far.certificate()).set_verify(verify::required);
  BOOST_TEST(seen(server, with_both()) == "CN=of-far");   // its intermediate came with it
  BOOST_TEST(seen(server, client().use(of_far)) == "CN=of-far");
}

BOOST_DATA_TEST_CASE_F(fixture, a_client_that_shows_none_hears_that_one_was_wanted, both_versions,
                       version) {
  server_context const server =
      asking(version, {stranger}).add_root(stranger.certificate()).set_verify(verify::required);
  engine_pair pair(with_both(), server, client_options());
  BOOST_TEST(!pair.connect());
  std::string const said = pair.client.last_error().what();
  BOOST_TEST(said.find("was given none") != std::string::npos, said);
}

BOOST_AUTO_TEST_CASE(one_of_the_connections_own_goes_before) {
  client_context const client = with_both();
  server_context const server = asking(protocol::tls1_3, {far});
  raw_connection both(sealed(client), sealed(server));
  SSL_use_certificate(both.client.get(), rsa_of_near.chain().leaf().native_handle());
  SSL_use_PrivateKey(both.client.get(), rsa_of_near.key().native_handle());
  BOOST_REQUIRE(both.handshake());
  BOOST_TEST(seen_by(both.server.get()) == "CN=rsa-of-near");
}

BOOST_AUTO_TEST_CASE(what_an_adopted_context_has_is_shown_when_none_fits) {
  boost::asio::ssl::context given(boost::asio::ssl::context::tls_client);
  SSL_CTX_use_certificate(given.native_handle(), rsa_of_near.chain().leaf().native_handle());
  SSL_CTX_use_PrivateKey(given.native_handle(), rsa_of_near.key().native_handle());
  client_context client(std::move(given));
  client.also_use(of_near).also_use(of_far);
  BOOST_TEST(seen(asking(protocol::tls1_3, {far}), client) == "CN=of-far");
  BOOST_TEST(seen(asking(protocol::tls1_3, {stranger}), client) == "CN=rsa-of-near");
}

BOOST_AUTO_TEST_CASE(who_asks_again_after_the_handshake_is_answered_anew) {
  client_context const client = with_both();
  SSL_CTX_set_post_handshake_auth(client.native_handle(), 1);
  server_context const server = asking(protocol::tls1_3, {near});
  raw_connection both(sealed(client), sealed(server));
  BOOST_REQUIRE(both.handshake());
  BOOST_TEST(seen_by(both.server.get()) == "CN=of-near");
  BOOST_TEST(seen_when_asked_again(both, far) == "CN=of-far");
  BOOST_TEST(seen_when_asked_again(both, stranger) == "");
  BOOST_TEST(seen_when_asked_again(both, near) == "CN=of-near");
}

BOOST_AUTO_TEST_CASE(what_is_used_overwrites_them_all) {
  client_context const client = with_both().use(rsa_of_near);
  BOOST_TEST(seen(asking(protocol::tls1_3, {far}), client) == "CN=rsa-of-near");
}

BOOST_AUTO_TEST_CASE(one_that_has_become_too_weak_is_met_by_the_seal_and_not_by_a_handshake) {
  private_key const weak = make_rsa_key(1024);
  client_context client = with_both().set_ciphers("DEFAULT:@SECLEVEL=0").also_use(
      identity(certificate_chain({self_signed_for(weak, "weak")}), weak));
  client.set_ciphers("DEFAULT:@SECLEVEL=2");
  BOOST_CHECK_EXCEPTION(detail::seal(client), error, [](error const& thrown) {
    return thrown.code().message() == "ee key too small";
  });
}

// As without memory behind the choice's installation.
BOOST_AUTO_TEST_CASE(a_context_that_could_not_be_sealed_does_not_choose_once_it_is_mended) {
  client_context client = with_both();
  struct given_up {};
  BOOST_CHECK_THROW(
      detail::access::state(client)->seal([](detail::context_state&) { throw given_up(); }),
      given_up);
  client.use(rsa_of_near);
  BOOST_TEST(seen(asking(protocol::tls1_3, {far}), client) == "CN=rsa-of-near");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::client_identities_test
