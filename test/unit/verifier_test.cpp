// A verifier of the program's: what it is told of each certificate, and that it decides.

#include "engine_pair.hpp"
#include "pki.hpp"
#include "print.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <vector>

namespace cotls::test::verifier_test {
namespace {

using namespace std::chrono_literals;

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

struct seen {
  bool accepted;
  int result;
  int depth;
  std::string reason;
  std::string subject;
};

struct fixture {
  authority root{"root"};
  authority foreign{"foreign"};
  authority between = root.make_intermediate("between");
  issued good = between.issue(certificate_request({"server.test"}));
  issued expired =
      root.issue(certificate_request({"server.test"}).valid(-48h, -24h));
  issued unknown = foreign.issue(certificate_request({"server.test"}));
  issued other = root.issue(certificate_request({"other.test"}));
  issued person = root.issue(certificate_request({"person"}).use(purpose::client));
  issued stranger = foreign.issue(certificate_request({"stranger"}).use(purpose::client));

  std::vector<seen> told;

  client_context make_client(protocol version = protocol::secure) const {
    return client_context(version).add_root(root.certificate());
  }

  server_context make_server(issued const& shown) const {
    return server_context().use(shown.identity());
  }

  // One that remembers what it was told, and then decides.
  context::verifier_type remembering(std::function<bool(bool)> decides) {
    return [this, decides = std::move(decides)](bool accepted, verification const& what) {
      told.push_back({accepted, what.result(), what.depth(), what.reason(),
                      what.certificate().subject()});
      return decides(accepted);
    };
  }

  bool was_told(int result, int depth) const {
    return std::any_of(told.begin(), told.end(), [&](seen const& each) {
      return each.result == result && each.depth == depth;
    });
  }

  bool connect(client_context const& client, server_context const& server) {
    both.emplace(client, server, client_options().host("server.test").port(443));
    return both->connect();
  }

  bool resumed() const { return both->server.info().resumed; }

  std::optional<engine_pair> both;
};

bool as_openssl(bool accepted) { return accepted; }
bool everything(bool) { return true; }
bool nothing(bool) { return false; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(verifiers, fixture)

BOOST_DATA_TEST_CASE_F(fixture, each_certificate_is_shown_from_the_root_down, versions, version) {
  client_context const client = make_client(version).set_verifier(remembering(as_openssl));
  BOOST_REQUIRE(connect(client, make_server(good)));
  BOOST_REQUIRE(told.size() == 3u);
  char const* const subjects[] = {"CN=server.test", "CN=between", "CN=root"};
  for (std::size_t i = 0; i < told.size(); ++i) {
    seen const& each = told[i];
    BOOST_TEST(each.depth == static_cast<int>(2 - i));
    BOOST_TEST(each.subject == subjects[each.depth]);
    BOOST_TEST(each.accepted);
    BOOST_TEST(each.result == X509_V_OK);
    BOOST_TEST(each.reason == "");
  }
}

BOOST_DATA_TEST_CASE_F(fixture, it_is_told_why_a_certificate_would_be_refused, versions, version) {
  client_context const client = make_client(version).set_verifier(remembering(as_openssl));
  BOOST_TEST(!connect(client, make_server(expired)));
  BOOST_REQUIRE(was_told(X509_V_ERR_CERT_HAS_EXPIRED, 0));
  BOOST_TEST(told.back().reason == "the peer's certificate has expired");
  BOOST_TEST(told.back().subject == "CN=server.test");
  BOOST_TEST(!told.back().accepted);
  BOOST_TEST(both->client.last_error().verify_result() == X509_V_ERR_CERT_HAS_EXPIRED);
}

BOOST_DATA_TEST_CASE_F(fixture, what_it_accepts_is_verified, versions, version) {
  for (issued const* shown : {&expired, &unknown, &other}) {
    BOOST_TEST(!connect(make_client(version).set_verifier(remembering(as_openssl)),
                        make_server(*shown)));
    client_context const client = make_client(version).set_verifier(remembering(everything));
    BOOST_REQUIRE(connect(client, make_server(*shown)));
    BOOST_TEST(both->client.peer().verified());
  }
  BOOST_TEST(was_told(X509_V_ERR_HOSTNAME_MISMATCH, 0));
}

BOOST_DATA_TEST_CASE_F(fixture, what_it_refuses_is_refused_though_openssl_would_not, versions,
                       version) {
  client_context const client = make_client(version).set_verifier(remembering(nothing));
  BOOST_TEST(!connect(client, make_server(good)));
  BOOST_TEST(told.size() == 1u);
  error const failed = both->client.last_error();
  BOOST_TEST(failed.verify_result() == X509_V_ERR_APPLICATION_VERIFICATION);
  BOOST_TEST(std::string(failed.what()).find("the application refuses") != std::string::npos);
  BOOST_TEST(both->server_code == alert::handshake_failure);
}

BOOST_AUTO_TEST_CASE(an_exception_refuses) {
  client_context const client = make_client().set_verifier(
      [](bool, verification const&) -> bool { throw std::runtime_error("no"); });
  BOOST_TEST(!connect(client, make_server(good)));
  client_context const odd = make_client().set_verifier(
      [](bool, verification const&) -> bool { throw 1; });
  BOOST_TEST(!connect(odd, make_server(good)));
}

BOOST_AUTO_TEST_CASE(an_empty_one_leaves_it_to_openssl) {
  client_context const client =
      make_client().set_verifier(remembering(everything)).set_verifier(nullptr);
  BOOST_TEST(connect(client, make_server(good)));
  BOOST_TEST(!connect(client, make_server(unknown)));
  BOOST_TEST(told.empty());
}

BOOST_DATA_TEST_CASE_F(fixture, a_servers_decides_on_clients_without_any_root, versions, version) {
  server_context const server = make_server(good)
                                    .set_verify(verify::required)
                                    .set_verifier([](bool, verification const& what) {
                                      return what.certificate().subject() == "CN=stranger";
                                    });
  BOOST_TEST(connect(make_client(version).use(stranger.identity()), server));
  BOOST_TEST(both->server.peer().verified());
  BOOST_TEST(!connect(make_client(version).use(person.identity()), server));
  BOOST_TEST(!connect(make_client(version), server));
}

BOOST_DATA_TEST_CASE_F(fixture, a_client_is_not_resumed_whom_it_does_not_accept_any_more, versions,
                       version) {
  bool allowed = true;
  server_context const server =
      make_server(good)
          .set_verify(verify::required)
          .add_root(root.certificate())
          .set_verifier([&](bool accepted, verification const&) { return accepted && allowed; });
  client_context const client = make_client(version).use(person.identity());
  for (bool expected : {false, true}) {
    BOOST_REQUIRE(connect(client, server));
    BOOST_TEST(resumed() == expected);
    BOOST_TEST(both->server.peer().verified());
  }
  allowed = false;
  BOOST_TEST(!connect(client, server));
  BOOST_TEST(!resumed());
}

BOOST_DATA_TEST_CASE_F(fixture, a_server_is_not_resumed_that_it_does_not_accept_any_more, versions,
                       version) {
  bool allowed = true;
  client_context const client = make_client(version).set_verifier(
      [&](bool, verification const&) { return allowed; });
  server_context const server = make_server(unknown);
  for (bool expected : {false, true}) {
    BOOST_REQUIRE(connect(client, server));
    BOOST_TEST(resumed() == expected);
    BOOST_TEST(both->client.peer().verified());
  }
  allowed = false;
  BOOST_TEST(!connect(client, server));
  BOOST_TEST(both->client.last_error().verify_result() ==
             X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
}

BOOST_AUTO_TEST_CASE(one_that_nobody_would_ask_is_refused) {
  auto const refused = [](error const& thrown) {
    return thrown.code() == errc::invalid_setting &&
           std::string(thrown.what()).find("set_verifier") != std::string::npos;
  };
  for (verify mode : {verify::none, verify::ask, verify::require_any}) {
    server_context const server = make_server(good).set_verify(mode).set_verifier(
        [](bool, verification const&) { return false; });
    BOOST_CHECK_EXCEPTION(engine{server}, error, refused);
  }
  client_context const client = client_context().set_verify(verify::none).set_verifier(
      [](bool, verification const&) { return false; });
  BOOST_CHECK_EXCEPTION(engine(client, client_options()), error, refused);
}

BOOST_AUTO_TEST_CASE(it_takes_the_place_of_an_adopted_contexts_callback) {
  asio::ssl::context native(asio::ssl::context::tls_client);
  SSL_CTX_set_verify(native.native_handle(), SSL_VERIFY_PEER,
                     [](int, X509_STORE_CTX*) { return 1; });
  client_context const client = client_context(std::move(native)).set_verifier(
      remembering(nothing));
  BOOST_TEST(!connect(client, make_server(good)));
  BOOST_TEST(!told.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::verifier_test
