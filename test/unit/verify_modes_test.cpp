// What is asked of the peer: five words for a server, two for a client; how long a chain may be.

#include "engine_pair.hpp"
#include "pki.hpp"
#include "print.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <optional>

namespace cotls::test::verify_modes_test {
namespace {

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

enum class shown { nothing, trusted, foreign };

struct fixture {
  authority root{"root"};
  authority clients{"clients"};
  authority foreign{"foreign"};
  issued of_server = root.issue(certificate_request({"server.test"}));
  issued trusted = clients.issue(certificate_request({"trusted"}).use(purpose::client));
  issued unknown = foreign.issue(certificate_request({"unknown"}).use(purpose::client));

  client_context make_client(protocol version, shown what) const {
    client_context made(version);
    made.add_root(root.certificate());
    if (what == shown::trusted) made.use(trusted.identity());
    if (what == shown::foreign) made.use(unknown.identity());
    return made;
  }

  server_context make_server(verify mode) const {
    server_context made;
    made.use(of_server.identity()).set_verify(mode);
    bool const verifies = mode == verify::optional || mode == verify::required;
    if (verifies) made.add_root(clients.certificate());
    return made;
  }

  bool connect(client_context const& client, server_context const& server) {
    both.emplace(client, server, client_options().host("server.test").port(443));
    return both->connect();
  }

  bool lets_in(protocol version, verify mode, shown what) {
    return connect(make_client(version, what), make_server(mode));
  }

  bool resumed() const { return both->server.info().resumed; }

  std::optional<engine_pair> both;
};

auto const refuses_setting = [](error const& thrown) {
  return thrown.code() == errc::invalid_setting;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(verify_modes, fixture)

BOOST_DATA_TEST_CASE_F(fixture, each_mode_lets_in_whom_it_says, versions, version) {
  struct row {
    verify mode;
    bool nothing, trusted, foreign;
  };
  for (row const& each : {row{verify::none, true, true, true}, row{verify::ask, true, true, true},
                          row{verify::optional, true, true, false},
                          row{verify::require_any, false, true, true},
                          row{verify::required, false, true, false}}) {
    BOOST_TEST_CONTEXT("mode " << static_cast<int>(each.mode)) {
      BOOST_TEST(lets_in(version, each.mode, shown::nothing) == each.nothing);
      BOOST_TEST(lets_in(version, each.mode, shown::trusted) == each.trusted);
      BOOST_TEST(lets_in(version, each.mode, shown::foreign) == each.foreign);
    }
  }
}

BOOST_DATA_TEST_CASE_F(fixture, who_was_only_asked_is_known_and_not_verified, versions, version) {
  for (verify mode : {verify::ask, verify::require_any}) {
    BOOST_REQUIRE(lets_in(version, mode, shown::foreign));
    BOOST_TEST(both->server.peer().subject() == "CN=unknown");
    BOOST_TEST(!both->server.peer().verified());
  }
  BOOST_REQUIRE(lets_in(version, verify::optional, shown::trusted));
  BOOST_TEST(both->server.peer().verified());
  BOOST_REQUIRE(lets_in(version, verify::none, shown::trusted));
  BOOST_TEST(both->server.peer().subject() == "");
}

// Had it been verified, it would have passed: but nobody has asked for that.
BOOST_DATA_TEST_CASE_F(fixture, a_client_that_would_be_trusted_is_not_called_verified, versions,
                       version) {
  server_context const server = make_server(verify::ask).add_root(clients.certificate());
  BOOST_REQUIRE(connect(make_client(version, shown::trusted), server));
  BOOST_TEST(!both->server.peer().verified());
  BOOST_TEST(SSL_get_verify_result(both->server.native_handle()) != X509_V_OK);
  BOOST_REQUIRE(connect(make_client(version, shown::trusted),
                        make_server(verify::required).add_root(clients.certificate())));
  BOOST_TEST(SSL_get_verify_result(both->server.native_handle()) == X509_V_OK);
}

BOOST_DATA_TEST_CASE_F(fixture, a_resumed_session_of_an_unverified_client_is_not_verified, versions,
                       version) {
  for (shown what : {shown::trusted, shown::foreign}) {
    client_context const client = make_client(version, what);
    server_context const server = make_server(verify::ask).add_root(clients.certificate());
    for (bool expected : {false, true, true}) {
      BOOST_REQUIRE(connect(client, server));
      BOOST_TEST(resumed() == expected);
      BOOST_TEST(!both->server.peer().verified());
      BOOST_TEST(both->server.peer().certificate().has_value());
    }
  }
}

// The session is offered to the same servers, one of whose connections verifies for a change.
BOOST_DATA_TEST_CASE_F(fixture, a_session_of_an_unverified_client_does_not_stand_for_a_verified_one,
                       versions, version) {
  client_context const client = make_client(version, shown::foreign);
  server_context const server = make_server(verify::ask).add_root(clients.certificate());
  BOOST_REQUIRE(connect(client, server));
  both.emplace(client, server, client_options().host("server.test").port(443));
  SSL_set_verify(both->server.native_handle(), SSL_VERIFY_PEER,
                 [](int accepted, X509_STORE_CTX*) { return accepted; });
  BOOST_TEST(!both->connect());
  BOOST_TEST(!both->server.peer().verified());
}

BOOST_DATA_TEST_CASE_F(fixture, a_session_without_a_certificate_is_not_resumed_where_one_is_asked,
                       versions, version) {
  client_context const client = make_client(version, shown::nothing);
  server_context const server = make_server(verify::ask);
  BOOST_REQUIRE(connect(client, server));
  BOOST_REQUIRE(connect(client, server));
  BOOST_TEST(resumed());
  both.emplace(client, server, client_options().host("server.test").port(443));
  SSL_set_verify(both->server.native_handle(),
                 SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  BOOST_TEST(!both->connect());
}

BOOST_AUTO_TEST_CASE(a_server_that_verifies_nobody_needs_no_roots) {
  for (verify mode : {verify::ask, verify::require_any}) {
    BOOST_CHECK_NO_THROW(engine(make_server(mode)));
  }
  server_context without = server_context().use(of_server.identity()).set_verify(verify::optional);
  BOOST_CHECK_EXCEPTION(engine{without}, error,
                        [](error const& thrown) { return thrown.code() == errc::no_roots; });
}

BOOST_AUTO_TEST_CASE(a_client_verifies_or_does_not) {
  client_context client;
  for (verify mode : {verify::ask, verify::require_any}) {
    BOOST_CHECK_EXCEPTION(client.set_verify(mode), error, refuses_setting);
    BOOST_TEST((client.verify_mode() == verify::required));
  }
  for (verify mode : {verify::none, verify::required}) {
    BOOST_TEST((client.set_verify(mode).verify_mode() == mode));
  }
  BOOST_TEST((client.set_verify(verify::optional).verify_mode() == verify::required));
}

BOOST_AUTO_TEST_CASE(the_mode_of_a_server_is_told_when_it_is_in_use_too) {
  for (verify mode : {verify::none, verify::ask, verify::optional, verify::require_any,
                      verify::required}) {
    server_context const server = make_server(mode);
    BOOST_TEST((server.verify_mode() == mode));
    engine const made(server);
    BOOST_TEST((server.verify_mode() == mode));
  }
}

BOOST_DATA_TEST_CASE_F(fixture, the_mode_that_was_set_last_counts_also_of_a_lent_context, versions,
                       version) {
  server_context server = make_server(verify::ask);
  server.native_handle();   // applies what was set
  server.set_verify(verify::required).add_root(clients.certificate());
  BOOST_TEST(!connect(make_client(version, shown::foreign), server));
  BOOST_TEST(connect(make_client(version, shown::trusted), server));
  BOOST_TEST(both->server.peer().verified());
}

BOOST_AUTO_TEST_CASE(a_lent_context_that_was_told_to_verify_does) {
  server_context const server = make_server(verify::ask);
  SSL_CTX_set_verify(server.native_handle(), SSL_VERIFY_PEER, nullptr);
  BOOST_TEST((server.verify_mode() == verify::optional));
  BOOST_TEST(!connect(make_client(protocol::tls1_3, shown::foreign), server));
}

BOOST_AUTO_TEST_CASE(an_adopted_context_can_be_told_to_ask) {
  server_context server((asio::ssl::context(asio::ssl::context::tls_server)));
  server.use(of_server.identity()).set_verify(verify::require_any);
  BOOST_TEST(!connect(make_client(protocol::tls1_3, shown::nothing), server));
  BOOST_TEST(connect(make_client(protocol::tls1_3, shown::foreign), server));
  BOOST_TEST(!both->server.peer().verified());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(verify_depth, fixture)

BOOST_AUTO_TEST_CASE(a_chain_may_have_as_many_authorities_in_it_as_was_said) {
  authority const first = root.make_intermediate("first");
  authority const second = first.make_intermediate("second");
  issued const chains[] = {root.issue(certificate_request({"server.test"})),
                           first.issue(certificate_request({"server.test"})),
                           second.issue(certificate_request({"server.test"}))};
  for (int most = 0; most < 3; ++most) {
    client_context const client =
        client_context().add_root(root.certificate()).set_verify_depth(most);
    for (int between = 0; between < 3; ++between) {
      server_context const server = server_context().use(chains[between].identity());
      BOOST_TEST_CONTEXT(between << " of " << most) {
        BOOST_TEST(connect(client, server) == (between <= most));
        if (between <= most) continue;
        BOOST_TEST(both->client.last_error().verify_result() == X509_V_ERR_CERT_CHAIN_TOO_LONG);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_client_with_too_long_a_chain_is_refused_by_a_server) {
  authority const between = clients.make_intermediate("between");
  issued const far = between.issue(certificate_request({"far"}).use(purpose::client));
  server_context const server = make_server(verify::required).set_verify_depth(0);
  client_context const client = make_client(protocol::tls1_3, shown::nothing).use(far.identity());
  BOOST_TEST(!connect(client, server));
  BOOST_TEST(connect(make_client(protocol::tls1_3, shown::trusted), server));
}

BOOST_AUTO_TEST_CASE(a_negative_depth_is_refused) {
  BOOST_CHECK_EXCEPTION(client_context().set_verify_depth(-1), error, refuses_setting);
  BOOST_CHECK_NO_THROW(client_context().set_verify_depth(0));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::verify_modes_test
