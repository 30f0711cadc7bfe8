// A server's chain is verified again before its session is resumed, but not by each of many
// connections within a minute. What the roots have become since is done to OpenSSL's object, which no
// program has: it shows who looks at them.

#include "context/context_state.hpp"
#include "engine_pair.hpp"
#include "openssl/openssl_ptr.hpp"
#include "pki.hpp"
#include "print.hpp"

#include <cotls/detail/support/access.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>

namespace cotls::test::verdict_test {
namespace {

using namespace std::chrono_literals;

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

struct fixture {
  authority root{"root"};
  authority between = root.make_intermediate("between");
  issued identity = between.issue(certificate_request({"server.test"}));
  server_context server = server_context().use(identity.identity());
  std::optional<engine_pair> both;

  client_context make_client(protocol version = protocol::secure) const {
    return client_context(version).add_root(root.certificate());
  }

  static client_options there() { return client_options().host("server.test").port(443); }

  bool connect(client_context const& client, client_options const& options = there()) {
    both.emplace(client, server, options);
    return both->connect();
  }

  bool resumes(client_context const& client, client_options const& options = there()) {
    return connect(client, options) && both->client.info().resumed;
  }

  // From here on nobody is trusted whose chain is looked at.
  static void trust_nobody(client_context const& client) {
    SSL_CTX_set_cert_store(detail::access::state(client)->handle(), X509_STORE_new());
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(verdict, fixture)

BOOST_DATA_TEST_CASE_F(fixture, the_first_resumption_verifies, versions, version) {
  client_context const client = make_client(version);
  BOOST_TEST(connect(client));
  trust_nobody(client);
  BOOST_TEST(!connect(client));
}

BOOST_DATA_TEST_CASE_F(fixture, those_that_follow_within_a_minute_do_not, versions, version) {
  client_context const client = make_client(version);
  BOOST_TEST(connect(client));
  BOOST_TEST(resumes(client));
  trust_nobody(client);
  for (int again = 0; again < 3; ++again) BOOST_TEST(resumes(client));
  // What is known of a server is of that one alone.
  BOOST_TEST(!connect(client, client_options().host("server.test").port(444)));
}

BOOST_AUTO_TEST_CASE(a_full_handshake_always_does) {
  client_context const client = make_client();
  BOOST_TEST(connect(client));
  BOOST_TEST(resumes(client));
  trust_nobody(client);
  server = server_context().use(identity.identity());   // which knows no sessions
  BOOST_TEST(!connect(client));
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_name_is_known_to_nobody_else) {
  client_context const client = make_client();
  server = server_context().use(between.issue(certificate_request({"other.test"})).identity());
  client_options const both_names = there().also_accept("other.test");
  BOOST_TEST(connect(client, both_names));
  BOOST_TEST(resumes(client, both_names));
  BOOST_TEST(!connect(client));
}

BOOST_AUTO_TEST_CASE(a_certificate_that_is_about_to_expire_is_verified_each_time) {
  client_context const client = make_client();
  server = server_context().use(
      between.issue(certificate_request({"server.test"}).valid(-1h, 30s)).identity());
  BOOST_TEST(connect(client));
  BOOST_TEST(resumes(client));
  trust_nobody(client);
  BOOST_TEST(!connect(client));
}

// Its program may have changed what is verified.
BOOST_AUTO_TEST_CASE(a_connection_whose_handle_was_lent_verifies) {
  client_context const client = make_client();
  BOOST_TEST(connect(client));
  BOOST_TEST(resumes(client));
  trust_nobody(client);
  both.emplace(client, server, there());
  both->client.native_handle();
  BOOST_TEST(!both->connect());
}

BOOST_AUTO_TEST_CASE(so_do_those_of_a_context_that_was_lent) {
  client_context const client = make_client();
  client.native_handle();
  BOOST_TEST(connect(client));
  BOOST_TEST(resumes(client));
  trust_nobody(client);
  BOOST_TEST(!connect(client));
}

BOOST_AUTO_TEST_CASE(whoever_decides_on_chains_sees_each) {
  int seen = 0;
  client_context client = make_client();
  client.on_verify([&seen](bool accepted, peer_info const&) {
    ++seen;
    return accepted;
  });
  for (int visits = 1; visits < 4; ++visits) {
    BOOST_TEST(connect(client));
    BOOST_TEST(seen >= visits);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::verdict_test
