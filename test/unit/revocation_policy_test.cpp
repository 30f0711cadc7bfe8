// How revocation lists are heeded, where a program says so; and as of when all is verified.

#include "engine_pair.hpp"
#include "pki.hpp"
#include "print.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/x509_vfy.h>

#include <chrono>
#include <optional>
#include <string>

namespace cotls::test::revocation_policy_test {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::system_clock;

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

struct fixture {
  authority root{"root"};
  authority between = root.make_intermediate("between");
  issued good = between.issue(certificate_request({"good.test"}));
  issued revoked = between.issue(certificate_request({"revoked.test"}));
  std::string of_root = root.revocation_list({});
  std::string of_between = between.revocation_list({revoked.leaf()});
  std::string old_root = root.revocation_list({}, -1h);
  std::string old_between = between.revocation_list({revoked.leaf()}, -1h);

  client_context make_client(std::string const& lists,
                             std::optional<revocation_options> policy = std::nullopt) const {
    client_context made = client_context().add_roots(root.pem() + lists);
    if (policy) made.set_revocation(*policy);
    return made;
  }

  // The result of verifying a server that shows this: 0 when it is accepted.
  int result_of(client_context const& client, issued const& shown) {
    both.emplace(client, server_context().use(shown.identity()),
                 client_options().host(shown.leaf().names().front()).port(443));
    if (both->connect()) return X509_V_OK;
    return both->client.last_error().verify_result();
  }

  int result_of(std::string const& lists, revocation_options const& policy, issued const& shown) {
    return result_of(make_client(lists, policy), shown);
  }

  std::optional<engine_pair> both;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(revocation_policy, fixture)

BOOST_AUTO_TEST_CASE(the_default_is_what_is_done_without_one) {
  for (std::string const& lists :
       {std::string(), of_root, of_between, of_root + of_between, old_between,
        old_root + of_between}) {
    for (issued const* shown : {&good, &revoked}) {
      BOOST_TEST(result_of(lists, revocation_options(), *shown) ==
                 result_of(make_client(lists), *shown));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_whole_chain_needs_lists_where_that_was_said) {
  auto const whole = revocation_options().whole_chain();
  BOOST_TEST(result_of(of_between, revocation_options(), good) == X509_V_OK);
  BOOST_TEST(result_of(of_between, whole, good) == X509_V_ERR_UNABLE_TO_GET_CRL);
  BOOST_TEST(std::string(both->client.last_error().what()).find("depth 1") != std::string::npos);
  BOOST_TEST(result_of(of_root, whole, good) == X509_V_ERR_UNABLE_TO_GET_CRL);
  BOOST_TEST(result_of(of_root + of_between, whole, good) == X509_V_OK);
  BOOST_TEST(result_of(of_root + of_between, whole, revoked) == X509_V_ERR_CERT_REVOKED);
  BOOST_TEST(result_of(root.revocation_list({between.certificate()}) + of_between, whole, good) ==
             X509_V_ERR_CERT_REVOKED);
}

BOOST_AUTO_TEST_CASE(the_whole_chain_needs_lists_though_none_was_loaded) {
  BOOST_TEST(result_of("", revocation_options(), good) == X509_V_OK);
  BOOST_TEST(result_of("", revocation_options().whole_chain(), good) ==
             X509_V_ERR_UNABLE_TO_GET_CRL);
}

BOOST_AUTO_TEST_CASE(what_is_itself_trusted_needs_no_list_in_the_whole_chain_either) {
  BOOST_TEST(result_of(make_client(of_between + of_root, revocation_options().whole_chain()),
                       good) == X509_V_OK);
  identity const self = make_self_signed({"self.test"});
  client_context const trusting =
      client_context().add_root(self.chain().leaf()).set_revocation(
          revocation_options().whole_chain());
  engine_pair pair(trusting, server_context().use(self), client_options().host("self.test"));
  BOOST_TEST(pair.connect());
}

BOOST_AUTO_TEST_CASE(a_list_that_is_missing_is_put_up_with_where_that_was_said) {
  auto const lenient = revocation_options().allow_missing();
  BOOST_TEST(result_of(of_root, revocation_options(), good) == X509_V_ERR_UNABLE_TO_GET_CRL);
  BOOST_TEST(result_of(of_root, lenient, good) == X509_V_OK);
  BOOST_TEST(result_of(of_root, revocation_options().whole_chain().allow_missing(), good) ==
             X509_V_OK);
  BOOST_TEST(result_of(of_between, lenient, revoked) == X509_V_ERR_CERT_REVOKED);
  BOOST_TEST(result_of(old_between, lenient, good) == X509_V_ERR_CRL_HAS_EXPIRED);
}

BOOST_AUTO_TEST_CASE(a_list_that_has_expired_counts_where_that_was_said) {
  auto const lenient = revocation_options().allow_expired();
  BOOST_TEST(result_of(old_between, revocation_options(), good) == X509_V_ERR_CRL_HAS_EXPIRED);
  BOOST_TEST(result_of(old_between, lenient, good) == X509_V_OK);
  BOOST_TEST(both->client.peer().verified());
  BOOST_TEST(result_of(old_between, lenient, revoked) == X509_V_ERR_CERT_REVOKED);
  BOOST_TEST(result_of(old_root + of_between, lenient, good) == X509_V_OK);
  BOOST_TEST(result_of(old_root, lenient, good) == X509_V_ERR_UNABLE_TO_GET_CRL);
}

// It is none, whatever its dates.
BOOST_AUTO_TEST_CASE(a_list_that_its_issuer_has_not_signed_refuses_under_every_policy) {
  authority const impostor("between");
  auto const lenient = revocation_options().allow_expired().allow_missing();
  BOOST_TEST(result_of(impostor.revocation_list({}), lenient, good) != X509_V_OK);
}

BOOST_AUTO_TEST_CASE(a_client_of_a_servers_is_looked_up_by_the_same_policy) {
  issued const person = between.issue(certificate_request({"person"}).use(purpose::client));
  auto const lets_in = [&](revocation_options const& policy) {
    server_context const server = server_context()
                                      .use(good.identity())
                                      .set_verify(verify::required)
                                      .add_roots(root.pem() + old_between)
                                      .set_revocation(policy);
    client_context client = client_context().add_root(root.certificate()).use(person.identity());
    engine_pair pair(client, server, client_options().host("good.test"));
    return pair.connect();
  };
  BOOST_TEST(!lets_in(revocation_options()));
  BOOST_TEST(lets_in(revocation_options().allow_expired()));
}

// The system's roots are everybody's: a policy is one context's.
BOOST_AUTO_TEST_CASE(a_policy_of_one_context_is_none_of_another) {
  client_context const strict =
      client_context().set_revocation(revocation_options().whole_chain());
  client_context const plain = client_context();
  auto const result = [&](client_context const& client) { return result_of(client, good); };
  BOOST_TEST(result(strict) != X509_V_OK);
  BOOST_TEST(result(plain) != X509_V_OK);
  BOOST_TEST(result_of(make_client(of_between), good) == X509_V_OK);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(verify_time, fixture)

BOOST_DATA_TEST_CASE_F(fixture, certificates_are_valid_as_of_the_moment_that_was_set, versions,
                       version) {
  auto const result_in = [&](std::chrono::hours later) {
    client_context const client = client_context(version)
                                      .add_root(root.certificate())
                                      .set_verify_time(clock::now() + later);
    return result_of(client, good);
  };
  BOOST_TEST(result_in(0h) == X509_V_OK);
  BOOST_TEST(result_in(23h) == X509_V_OK);
  BOOST_TEST(result_in(25h) == X509_V_ERR_CERT_HAS_EXPIRED);
  BOOST_TEST(result_in(-2h) == X509_V_ERR_CERT_NOT_YET_VALID);
}

BOOST_AUTO_TEST_CASE(lists_are_valid_as_of_the_moment_that_was_set) {
  client_context const late = make_client(between.revocation_list({}, 12h));
  BOOST_TEST(result_of(late, good) == X509_V_OK);
  client_context const later =
      make_client(between.revocation_list({}, 12h)).set_verify_time(clock::now() + 13h);
  BOOST_TEST(result_of(later, good) == X509_V_ERR_CRL_HAS_EXPIRED);
}

BOOST_AUTO_TEST_CASE(without_a_moment_it_is_the_systems_clock_again) {
  client_context const client =
      make_client("").set_verify_time(clock::now() + 48h).set_verify_time(std::nullopt);
  BOOST_TEST(result_of(client, good) == X509_V_OK);
  client_context lent = make_client("").set_verify_time(clock::now() + 48h);
  lent.native_handle();   // applies what was set
  lent.set_verify_time(std::nullopt);
  BOOST_TEST(result_of(lent, good) == X509_V_OK);
}

// What has expired by the system's clock, and not by that of the context, is resumed.
BOOST_DATA_TEST_CASE_F(fixture, sessions_are_resumed_as_of_the_moment_that_was_set, versions,
                       version) {
  issued const old = root.issue(certificate_request({"old.test"}).valid(-40h, -20h));
  client_context const client = client_context(version)
                                    .add_root(root.certificate())
                                    .set_verify_time(clock::now() - 30h);
  server_context const server = server_context().use(old.identity());
  for (bool expected : {false, true, true}) {
    both.emplace(client, server, client_options().host("old.test").port(443));
    BOOST_REQUIRE(both->connect());
    BOOST_TEST(both->client.info().resumed == expected);
    BOOST_TEST(both->client.peer().verified());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::revocation_policy_test
