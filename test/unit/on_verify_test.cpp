// A verifier of the program's for the chain as a whole: what it sees, and that it has its way.

#include "engine_pair.hpp"
#include "native_client.hpp"
#include "pki.hpp"
#include "print.hpp"

#include <cotls/detail/engine/ssl_engine.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace cotls::test::on_verify_test {
namespace {

using namespace std::chrono_literals;

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

std::vector<std::string> subjects(std::vector<certificate> const& chain) {
  std::vector<std::string> all;
  for (certificate const& each : chain) all.push_back(each.subject());
  return all;
}

struct fixture {
  authority root{"root"};
  authority foreign{"foreign"};
  authority between = root.make_intermediate("between");
  issued good = between.issue(certificate_request({"server.test"}));
  issued expired = root.issue(certificate_request({"server.test"}).valid(-48h, -24h));
  issued unknown = foreign.issue(certificate_request({"server.test"}));
  issued other = root.issue(certificate_request({"other.test"}));
  issued person = root.issue(certificate_request({"person"}).use(purpose::client));
  issued stranger = foreign.issue(certificate_request({"stranger"}).use(purpose::client));

  struct seen {
    bool accepted;
    peer_info chain;
  };
  std::vector<seen> told;

  client_context make_client(protocol version = protocol::secure) const {
    return client_context(version).add_root(root.certificate());
  }

  server_context make_server(issued const& shown) const {
    return server_context().use(shown.identity());
  }

  std::function<bool(bool, peer_info const&)> remembering(std::function<bool(bool)> decides) {
    return [this, decides = std::move(decides)](bool accepted, peer_info const& chain) {
      told.push_back({accepted, chain});
      return decides(accepted);
    };
  }

  bool connect(client_context const& client, server_context const& server) {
    both.emplace(client, server, client_options().host("server.test").port(443));
    return both->connect();
  }

  std::optional<engine_pair> both;
};

bool as_openssl(bool accepted) { return accepted; }
bool everything(bool) { return true; }
bool nothing(bool) { return false; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(on_verify_hooks, fixture)

BOOST_DATA_TEST_CASE_F(fixture, a_chain_is_shown_once_as_it_was_sent_and_as_it_was_built, versions,
                       version) {
  BOOST_REQUIRE(connect(make_client(version).on_verify(remembering(as_openssl)),
                        make_server(good)));
  BOOST_REQUIRE(told.size() == 1u);
  BOOST_TEST(told[0].accepted);
  BOOST_TEST(told[0].chain.verified());
  BOOST_TEST(told[0].chain.verify_result() == X509_V_OK);
  std::vector<std::string> const sent{"CN=server.test", "CN=between"};
  std::vector<std::string> const built{"CN=server.test", "CN=between", "CN=root"};
  BOOST_TEST(subjects(told[0].chain.chain()) == sent);
  BOOST_TEST(subjects(told[0].chain.verified_chain()) == built);
}

BOOST_DATA_TEST_CASE_F(fixture, what_openssl_refuses_it_may_accept, versions, version) {
  struct {
    issued const* shown;
    int result;
  } const all[] = {{&expired, X509_V_ERR_CERT_HAS_EXPIRED},
                   {&unknown, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
                   {&other, X509_V_ERR_HOSTNAME_MISMATCH}};
  for (auto const& each : all) {
    told.clear();
    BOOST_TEST(!connect(make_client(version).on_verify(remembering(as_openssl)),
                        make_server(*each.shown)));
    BOOST_TEST(both->client.last_error().verify_result() == each.result);
    BOOST_REQUIRE(connect(make_client(version).on_verify(remembering(everything)),
                          make_server(*each.shown)));
    BOOST_REQUIRE(told.size() == 2u);
    BOOST_TEST(!told[1].accepted);
    BOOST_TEST(!told[1].chain.verified());
    BOOST_TEST(told[1].chain.verify_result() == each.result);
    BOOST_TEST(both->client.peer().verified());
    BOOST_TEST(both->client.peer().verify_result() == X509_V_OK);
    BOOST_TEST(both->client.last_error().verify_result() == X509_V_OK);
  }
}

BOOST_DATA_TEST_CASE_F(fixture, what_openssl_accepts_it_may_refuse, versions, version) {
  BOOST_TEST(!connect(make_client(version).on_verify(remembering(nothing)),
                      make_server(good)));
  error const failed = both->client.last_error();
  BOOST_TEST(failed.verify_result() == X509_V_ERR_APPLICATION_VERIFICATION);
  BOOST_TEST(both->server_code == alert::handshake_failure);
  BOOST_TEST(!both->client.peer().verified());
}

BOOST_AUTO_TEST_CASE(an_exception_refuses) {
  std::function<bool(bool, peer_info const&)> const throws[] = {
      [](bool, peer_info const&) -> bool { throw std::runtime_error("no"); },
      [](bool, peer_info const&) -> bool { throw 1; }};
  for (auto const& each : throws) {
    BOOST_TEST(!connect(make_client().on_verify(each), make_server(good)));
  }
}

BOOST_AUTO_TEST_CASE(it_comes_after_the_one_for_each_certificate) {
  auto const none = [](bool, verification const&) { return false; };
  BOOST_TEST(!connect(make_client().set_verifier(none).on_verify(remembering(as_openssl)),
                      make_server(good)));
  BOOST_TEST(told.back().chain.verify_result() == X509_V_ERR_APPLICATION_VERIFICATION);
  BOOST_TEST(connect(make_client().set_verifier(none).on_verify(remembering(everything)),
                     make_server(good)));
}

BOOST_AUTO_TEST_CASE(pins_are_not_overruled) {
  key_pin const others = key_pin::of(other.leaf());
  for (issued const* shown : {&good, &unknown}) {
    client_context const pinned =
        make_client().set_pins({others}).on_verify(remembering(everything));
    BOOST_TEST(!connect(pinned, make_server(*shown)));
    BOOST_TEST(both->client_code == errc::no_pinned_key);
    client_context const known = make_client()
                                     .set_pins({key_pin::of(shown->leaf())})
                                     .on_verify(remembering(everything));
    BOOST_TEST(connect(known, make_server(*shown)));
  }
}

BOOST_DATA_TEST_CASE_F(fixture, a_servers_decides_on_clients_without_any_root, versions, version) {
  server_context const server = make_server(good)
                                    .set_verify(verify::required)
                                    .on_verify([](bool, peer_info const& chain) {
                                      return chain.subject() == "CN=stranger";
                                    });
  BOOST_TEST(connect(make_client(version).use(stranger.identity()), server));
  BOOST_TEST(both->server.peer().verified());
  BOOST_TEST(!connect(make_client(version).use(person.identity()), server));
  BOOST_TEST(!connect(make_client(version), server));
}

// T1: OpenSSL would go on as if the chain were good.
BOOST_DATA_TEST_CASE_F(fixture, a_server_that_waits_decides_on_any_chain, versions, version) {
  for (issued const* shown : {&person, &stranger}) {
    for (bool const allows : {true, false}) {
      server_context const server =
          make_server(good).set_verify(verify::required).on_verify(
              [allows](bool, peer_info const&) -> asio::awaitable<bool> { co_return allows; });
      both.emplace(make_client(version).use(shown->identity()), server,
                   client_options().host("server.test").port(443));
      both->connect();
      BOOST_TEST((both->server.handshake().want == want::verification));
      both->server.answer(allows);
      BOOST_TEST(both->connect() == allows);
      BOOST_TEST(both->server.peer().verified() == allows);
      if (!allows) BOOST_TEST(both->client_code != error_code());
    }
  }
}

BOOST_DATA_TEST_CASE_F(fixture, nobody_is_resumed_whom_it_does_not_accept_any_more, versions,
                       version) {
  bool client_accepts = true;
  bool server_accepts = true;
  server_context const server =
      make_server(unknown)
          .set_verify(verify::required)
          .on_verify([&](bool, peer_info const&) { return server_accepts; });
  client_context const client =
      make_client(version).use(stranger.identity()).on_verify(
          [&](bool, peer_info const&) { return client_accepts; });
  for (bool const expected : {false, true}) {
    BOOST_REQUIRE(connect(client, server));
    BOOST_TEST(both->server.info().resumed == expected);
  }
  server_accepts = false;
  BOOST_TEST(!connect(client, server));
  server_accepts = true;
  for (int i = 0; i < 2; ++i) BOOST_REQUIRE(connect(client, server));
  BOOST_TEST(both->server.info().resumed);
  client_accepts = false;
  BOOST_TEST(!connect(client, server));
}

BOOST_AUTO_TEST_CASE(one_that_nobody_would_ask_is_refused) {
  auto const refused = [](error const& thrown) {
    return thrown.code() == errc::invalid_setting &&
           std::string(thrown.what()).find("on_verify") != std::string::npos;
  };
  for (verify mode : {verify::none, verify::ask, verify::require_any}) {
    server_context const server =
        make_server(good).set_verify(mode).on_verify(remembering(nothing));
    BOOST_CHECK_EXCEPTION(engine{server}, error, refused);
  }
}

// As asio's own stream does, or ours in its place: OpenSSL's verdict stands.
BOOST_AUTO_TEST_CASE(a_connection_that_others_make_with_the_context_asks_nobody) {
  client_context const client = make_client().on_verify(remembering(nothing));
  SSL_CTX* const native = client.native_handle();
  engine{client, client_options().host("server.test")};   // which seals it
  for (issued const* shown : {&good, &unknown}) {
    engine server(make_server(*shown));
    detail::memory_channel link;
    detail::ssl_engine ours(native, link);
    ours.set_role(detail::role::client);
    BOOST_TEST(!shake_hands(ours, link, server) == (shown == &good));
  }
  BOOST_TEST(told.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::on_verify_test
