// Sessions as values: what they are resumed by, and what is made of their bytes.

#include "engine_pair.hpp"
#include "failure_of.hpp"
#include "ocsp.hpp"
#include "openssl/openssl_ptr.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "session/session_body.hpp"

#include <cotls/session.hpp>

#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/evp.h>

#include <ctime>
#include <stdexcept>

namespace cotls::test::session_test {
namespace {

using namespace std::chrono_literals;

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

using bytes_type = std::vector<unsigned char>;

// A server of an intermediate authority, and what its clients kept of it.
struct fixture {
  authority root{"root"};
  authority between = root.make_intermediate("between");
  issued server_identity = between.issue(certificate_request({"server.test", "other.test"}));
  issued shown = root.issue(certificate_request({"client"}).use(purpose::client));
  server_context server =
      server_context().use(server_identity.identity()).set_verify(verify::ask);

  client_context make_client(protocol version = protocol::secure) const {
    return client_context(version).add_root(root.certificate()).set_session_cache(0);
  }

  static client_options there() { return client_options().host("server.test").port(443); }

  bool connect(client_context const& client, client_options const& options) {
    both.emplace(client, server, options);
    return both->connect();
  }

  // A session of a connection to the server, gone through its bytes.
  session session_of(client_context const& client, client_options const& options = there()) {
    BOOST_REQUIRE(connect(client, options));
    auto const given = both->client.session();
    BOOST_REQUIRE(given.has_value());
    return session::from_bytes(given->bytes());
  }

  bool is_resumed_by(client_context const& client, client_options options, session const& earlier) {
    BOOST_REQUIRE(connect(client, options.session(earlier)));
    BOOST_TEST(both->client.info().resumed == both->server.info().resumed);
    return both->client.info().resumed;
  }

  std::optional<engine_pair> both;
};

// Bytes that were changed, with the digest that they would have.
bytes_type resealed(bytes_type bytes) {
  std::size_t const body = bytes.size() - 32;
  EVP_Digest(bytes.data(), body, bytes.data() + body, nullptr, EVP_sha256(), nullptr);
  return bytes;
}

error_code reading(bytes_type const& bytes) {
  return thrown_by([&] { session::from_bytes(bytes); });
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(sessions, fixture)

BOOST_DATA_TEST_CASE_F(fixture, one_is_resumed_by_another_context_from_its_bytes, versions,
                       version) {
  session const earlier = session_of(make_client(version));
  BOOST_TEST(earlier.host() == "server.test");
  BOOST_TEST(earlier.port() == 443);
  BOOST_TEST(earlier.verified());
  BOOST_TEST(earlier.single_use() == (version == protocol::tls1_3));
  BOOST_TEST(earlier.version() == (version == protocol::tls1_3 ? "TLSv1.3" : "TLSv1.2"));
  BOOST_TEST((earlier.expires() > std::chrono::system_clock::now()));
  BOOST_TEST((earlier.made() <= std::chrono::system_clock::now()));
  BOOST_TEST(is_resumed_by(make_client(version), there(), earlier));
  BOOST_TEST(both->client.peer().verified());
  BOOST_TEST(both->client.peer().subject() == "CN=server.test");
}

// The server's intermediate certificate is known to nobody but the session.
BOOST_DATA_TEST_CASE_F(fixture, one_of_a_resumed_connection_is_resumed_in_its_turn, versions,
                       version) {
  session earlier = session_of(make_client(version));
  for (int again = 0; again < 4; ++again) {
    BOOST_TEST(is_resumed_by(make_client(version), there(), earlier));
    auto const next = both->client.session();
    BOOST_REQUIRE(next.has_value());
    earlier = session::from_bytes(next->bytes());
  }
}

BOOST_DATA_TEST_CASE_F(fixture, one_belongs_to_its_host, versions, version) {
  session const earlier = session_of(make_client(version));
  BOOST_TEST(!is_resumed_by(make_client(version), client_options().host("other.test").port(443),
                            earlier));
  BOOST_TEST(is_resumed_by(make_client(version), there(), earlier));
}

BOOST_DATA_TEST_CASE_F(fixture, one_belongs_to_its_port_where_both_are_known, versions, version) {
  client_options const elsewhere = client_options().host("server.test").port(444);
  client_options const somewhere = client_options().host("server.test");
  session const earlier = session_of(make_client(version));
  BOOST_TEST(!is_resumed_by(make_client(version), elsewhere, earlier));
  BOOST_TEST(is_resumed_by(make_client(version), somewhere, earlier));
  session const unknown = session_of(make_client(version), somewhere);
  BOOST_TEST(unknown.port() == 0);
  BOOST_TEST(is_resumed_by(make_client(version), elsewhere, unknown));
}

BOOST_DATA_TEST_CASE_F(fixture, one_is_not_resumed_where_its_server_is_not_trusted, versions,
                       version) {
  session const earlier = session_of(make_client(version));
  authority const other("other");
  client_context const wary = client_context(version).add_root(other.certificate());
  BOOST_TEST(!connect(wary, there().session(earlier)));
  BOOST_TEST(!both->server.info().resumed);
  BOOST_TEST(!both->client.peer().verified());
  BOOST_TEST(is_resumed_by(make_client(version), there(), earlier));
}

BOOST_DATA_TEST_CASE_F(fixture, one_is_not_resumed_once_its_server_would_be_refused, versions,
                       version) {
  session const earlier = session_of(make_client(version));
  auto const later = std::chrono::system_clock::now() + 48h;
  client_context const late = make_client(version).set_verify_time(later);
  BOOST_TEST(!connect(late, there().session(earlier)));
  BOOST_TEST(both->client.last_error().verify_result() == X509_V_ERR_CERT_HAS_EXPIRED);

  client_context const pinned = make_client(version).set_pins({key_pin::of(shown.leaf())});
  BOOST_TEST(!connect(pinned, there().session(earlier)));
  BOOST_TEST(both->client_code == errc::no_pinned_key);
  client_context const well =
      make_client(version).set_pins({key_pin::of(between.certificate())});
  BOOST_TEST(is_resumed_by(well, there(), earlier));
}

BOOST_DATA_TEST_CASE_F(fixture, one_of_a_connection_that_verified_nothing_stands_for_none_that_does,
                       versions, version) {
  client_context const careless = make_client(version).set_verify(verify::none);
  session const earlier = session_of(careless);
  BOOST_TEST(!earlier.verified());
  BOOST_TEST(!is_resumed_by(make_client(version), there(), earlier));
  BOOST_TEST(is_resumed_by(careless, there(), earlier));
  session const verified = session_of(make_client(version));
  BOOST_TEST(is_resumed_by(careless, there(), verified));
}

BOOST_DATA_TEST_CASE_F(fixture, one_belongs_to_the_certificate_that_was_shown, versions, version) {
  issued const another = root.issue(certificate_request({"another"}).use(purpose::client));
  client_context const as_client = make_client(version).use(shown.identity());
  session const earlier = session_of(as_client);
  BOOST_TEST(both->server.peer().subject() == "CN=client");
  BOOST_TEST(!is_resumed_by(make_client(version), there(), earlier));
  BOOST_TEST(!is_resumed_by(make_client(version).use(another.identity()), there(), earlier));
  BOOST_TEST(both->server.peer().subject() == "CN=another");
  BOOST_TEST(is_resumed_by(make_client(version).use(shown.identity()), there(), earlier));
  BOOST_TEST(both->server.peer().subject() == "CN=client");
  session const nobodys = session_of(make_client(version));
  BOOST_TEST(!is_resumed_by(as_client, there(), nobodys));
}

BOOST_DATA_TEST_CASE_F(fixture, one_belongs_to_what_a_connection_asked_for_by_itself, versions,
                       version) {
  client_options const special = there().server_name("other.test");
  session const earlier = session_of(make_client(version));
  BOOST_TEST(!is_resumed_by(make_client(version), special, earlier));
  session const specials = session_of(make_client(version), special);
  BOOST_TEST(!is_resumed_by(make_client(version), there(), specials));
  BOOST_TEST(is_resumed_by(make_client(version), special, specials));
  session const anybodys = session_of(make_client(version), there().accept_any_name());
  BOOST_TEST(anybodys.host().empty());
  BOOST_TEST(!is_resumed_by(make_client(version), there(), anybodys));
}

BOOST_DATA_TEST_CASE_F(fixture, one_with_a_suite_that_is_not_offered_is_passed_over, versions,
                       version) {
  session const earlier = session_of(make_client(version));
  client_context const others = make_client(version).set_ciphers(
      "ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_AES_128_GCM_SHA256");
  BOOST_TEST(!is_resumed_by(others, there(), earlier));
}

BOOST_DATA_TEST_CASE_F(fixture, one_without_an_ocsp_response_does_not_stand_for_one_with, versions,
                       version) {
  session const earlier = session_of(make_client(version));
  client_context const asks = make_client(version).set_ocsp(ocsp::ask);
  BOOST_TEST(!is_resumed_by(asks, there(), earlier));
  session const asked = session_of(asks);
  BOOST_TEST(is_resumed_by(make_client(version).set_ocsp(ocsp::ask), there(), asked));
  client_context const requires_one = make_client(version).set_ocsp(ocsp::require);
  BOOST_TEST(!connect(requires_one, there().session(session_of(asks))));
  BOOST_TEST(both->client_code == errc::no_ocsp_response);
}

BOOST_DATA_TEST_CASE_F(fixture, one_of_tls_1_3_is_offered_once_by_all_its_copies, versions,
                       version) {
  session const earlier = session_of(make_client(version));
  session const copy = earlier;
  BOOST_TEST(is_resumed_by(make_client(version), there(), earlier));
  BOOST_TEST(is_resumed_by(make_client(version), there(), copy) == (version == protocol::tls1_2));
}

// As a program does that connects again and again with the same options.
BOOST_DATA_TEST_CASE_F(fixture, where_it_was_offered_before_the_contexts_own_are, versions,
                       version) {
  client_context const client = make_client(version).set_session_cache(4);
  session const earlier = session_of(make_client(version));
  for (int again = 0; again < 3; ++again) BOOST_TEST(is_resumed_by(client, there(), earlier));
}

BOOST_DATA_TEST_CASE_F(fixture, a_session_that_a_server_no_longer_knows_costs_a_full_handshake,
                       versions, version) {
  session const earlier = session_of(make_client(version));
  server = server_context().use(server_identity.identity());
  BOOST_TEST(!is_resumed_by(make_client(version), there(), earlier));
  BOOST_TEST(both->client.peer().verified());
}

BOOST_DATA_TEST_CASE_F(fixture, a_function_is_told_of_each, versions, version) {
  std::vector<session> told;
  server.set_session_tickets(3);
  client_context const client =
      make_client(version).on_session([&](session const& given) { told.push_back(given); });
  BOOST_REQUIRE(connect(client, there()));
  BOOST_TEST(told.size() == (version == protocol::tls1_3 ? 3u : 1u));
  for (session const& each : told) BOOST_TEST(is_resumed_by(make_client(version), there(), each));
}

BOOST_DATA_TEST_CASE_F(fixture, what_the_function_throws_costs_nothing, versions, version) {
  client_context const client =
      make_client(version).on_session([](session const&) { throw std::runtime_error("full"); });
  BOOST_TEST(connect(client, there()));
  BOOST_TEST(both->client.session().has_value());
}

BOOST_AUTO_TEST_CASE(a_ticket_that_is_renewed_at_a_resumption_of_tls_1_2_is_told_of) {
  auto const now = std::chrono::system_clock::now();
  ticket_keys const keys;
  auto const serving = [&](std::chrono::hours later) {
    return server_context()
        .use(server_identity.identity())
        .set_ticket_keys(keys)
        .set_verify_time(now + later);
  };
  server = serving(0h);
  session const earlier = session_of(make_client(protocol::tls1_2));
  std::vector<session> told;
  auto const tell = [&](session const& given) { told.push_back(given); };
  client_context const client = make_client(protocol::tls1_2).on_session(tell);
  server = serving(13h);   // another key is in use
  BOOST_TEST(is_resumed_by(client, there(), earlier));
  BOOST_REQUIRE(told.size() == 1u);
  BOOST_TEST(is_resumed_by(client, there(), told.front()));
  BOOST_TEST(told.size() == 1u);   // it is the same again
}

BOOST_DATA_TEST_CASE_F(fixture, there_is_none_where_none_can_be_resumed, versions, version) {
  client_context const client = make_client(version);
  both.emplace(client, server, there());
  BOOST_TEST(!both->client.session().has_value());
  BOOST_REQUIRE(both->connect());
  BOOST_TEST(both->client.session().has_value());
  BOOST_TEST(!both->server.session().has_value());
  BOOST_TEST(both->client.close_write().error == error_code());
  BOOST_TEST(both->client.session().has_value());   // it has ended well

  client_context const nameless = make_client(version).set_verify(verify::none);
  BOOST_REQUIRE(connect(nameless, client_options()));
  BOOST_TEST(!both->client.session().has_value());

  server = server_context().use(server_identity.identity()).set_session_tickets(0);
  BOOST_REQUIRE(connect(make_client(version), there()));
  BOOST_TEST(!both->client.session().has_value());
  engine const gone = std::move(both->client);
  BOOST_TEST(thrown_by([&] { both->client.session(); }) == errc::not_connected);
}

BOOST_AUTO_TEST_CASE(of_tls_1_3_the_one_that_was_resumed_is_not_there_again) {
  session const earlier = session_of(make_client(protocol::tls1_3));
  server = server_context(server);
  BOOST_TEST(is_resumed_by(make_client(protocol::tls1_3), there(), earlier));
  BOOST_TEST(both->client.session().has_value());   // the ticket that came since

  session const another = session_of(make_client(protocol::tls1_3));
  both.emplace(make_client(protocol::tls1_3), server, there().session(another));
  SSL_set_num_tickets(both->server.native_handle(), 0);
  BOOST_REQUIRE(both->connect());
  BOOST_TEST(both->client.info().resumed);
  BOOST_TEST(!both->client.session().has_value());
}

BOOST_DATA_TEST_CASE_F(fixture, bytes_that_are_damaged_are_refused, versions, version) {
  bytes_type const good = session_of(make_client(version)).bytes();
  BOOST_TEST(reading(good) == error_code());
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int const change : {0x01, 0x80, 0xff}) {
      bytes_type bad = good;
      bad[at] = static_cast<unsigned char>(bad[at] ^ change);
      BOOST_REQUIRE(reading(bad) == errc::invalid_session);
    }
    BOOST_REQUIRE(reading(bytes_type(good.begin(), good.begin() + std::ptrdiff_t(at))) ==
                  errc::invalid_session);
  }
  bytes_type longer = good;
  longer.push_back(0);
  BOOST_TEST(reading(longer) == errc::invalid_session);
  BOOST_TEST(reading(bytes_type(2u << 20)) == errc::invalid_session);
}

// Whoever can write a session can do worse than to damage it: but it must not break anything.
BOOST_DATA_TEST_CASE_F(fixture, bytes_that_are_changed_with_care_are_refused_or_read, versions,
                       version) {
  bytes_type const good = session_of(make_client(version)).bytes();
  std::size_t read = 0;
  for (std::size_t at = 0; at + 32 < good.size(); ++at) {
    for (int const change : {0x01, 0x80}) {
      bytes_type bad = good;
      bad[at] = static_cast<unsigned char>(bad[at] ^ change);
      error_code const said = reading(resealed(bad));
      bool const known = said == errc::invalid_session || said == errc::session_expired || !said;
      BOOST_REQUIRE(known);
      if (!said) ++read;
    }
    bytes_type cut(good.begin(), good.begin() + std::ptrdiff_t(at) + 32);
    BOOST_REQUIRE(reading(resealed(cut)) == errc::invalid_session);
  }
  BOOST_TEST(read > 0u);
}

BOOST_AUTO_TEST_CASE(bytes_of_another_version_or_kind_are_refused) {
  bytes_type const good = session_of(make_client()).bytes();
  BOOST_TEST(reading(resealed(good)) == error_code());
  for (std::size_t const at : {13u, 14u}) {   // behind the name
    bytes_type other = good;
    ++other[at];
    BOOST_TEST(reading(resealed(other)) == errc::invalid_session);
  }
}

BOOST_AUTO_TEST_CASE(one_that_is_too_old_is_refused) {
  session const fresh = session_of(make_client());
  auto const aged = [&](std::chrono::hours by, std::chrono::hours lifetime) {
    detail::ssl_session_ptr native(SSL_SESSION_dup(fresh.body()->native()));
    auto const back = std::chrono::seconds(by).count();
    SSL_SESSION_set_time(native.get(), static_cast<long>(std::time(nullptr) - back));
    SSL_SESSION_set_timeout(native.get(), std::chrono::seconds(lifetime).count());
    return session(std::make_shared<detail::session_body>(std::move(native),
                                                          fresh.body()->origin()));
  };
  BOOST_TEST(reading(aged(2h, 1h).bytes()) == errc::session_expired);
  BOOST_TEST(reading(aged(2h, 3h).bytes()) == error_code());
  // RFC 8446 section 4.6.1, whatever the server said
  BOOST_TEST(reading(aged(24h * 8, 24h * 30).bytes()) == errc::session_expired);
  BOOST_TEST(!is_resumed_by(make_client(), there(), aged(2h, 1h)));
  BOOST_TEST(is_resumed_by(make_client(), there(), aged(2h, 3h)));
}

BOOST_AUTO_TEST_CASE(an_adopted_context_tells_nobody_but_resumes_what_it_is_given) {
  session const earlier = session_of(make_client());
  asio::ssl::context plain(asio::ssl::context::tls_client);
  plain.set_verify_mode(asio::ssl::verify_peer);
  client_context adopted(std::move(plain));
  adopted.add_root(root.certificate());
  BOOST_TEST(thrown_by([&] { adopted.on_session([](session const&) {}); }) ==
             errc::invalid_setting);
  BOOST_TEST(is_resumed_by(adopted, there(), earlier));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::session_test
