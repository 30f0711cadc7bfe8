// OCSP responses: what a server staples, and what a client makes of it.

#include "engine_pair.hpp"
#include "native_client.hpp"
#include "ocsp.hpp"
#include "print.hpp"
#include "temporary_directory.hpp"
#include "tls.hpp"

#include "trust/ocsp_response.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <optional>
#include <string>
#include <string_view>

namespace cotls::test::ocsp_test {

namespace {

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

authority const& root() {
  static authority const made("root");
  return made;
}

issued const& served() {
  static issued const made = root().issue(certificate_request({"localhost"}));
  return made;
}

ocsp_answer answer(issued const& of = served()) { return ocsp_answer(of.leaf(), root()); }

server_context serving(issued const& one = served()) {
  return server_context().use(one.identity());
}

client_context asking(ocsp wanted, protocol version = protocol::secure) {
  return client_context(version).add_root(root().certificate()).set_ocsp(wanted);
}

// Staples whatever it is given: what our own server refuses to.
server_context stapling_blindly(std::string der, issued const& one = served()) {
  server_context context = serving(one);
  static std::string stapled;
  stapled = std::move(der);
  auto const staple = [](SSL* ssl, void*) -> int {
    auto* const copy =
        static_cast<unsigned char*>(OPENSSL_memdup(stapled.data(), stapled.size()));
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(stapled.size()));
    return SSL_TLSEXT_ERR_OK;
  };
  SSL_CTX_set_tlsext_status_cb(context.native_handle(), +staple);
  return context;
}

struct fixture {
  bool connect(client_context const& client, server_context const& server) {
    both.emplace(client, server, client_options().host("localhost"));
    return both->connect();
  }

  // Why the client has refused the server.
  std::string refusal(client_context const& client, server_context const& server) {
    BOOST_TEST(!connect(client, server));
    return both->client.last_error().what();
  }

  // What came with the handshake.
  std::string stapled() const {
    unsigned char const* data = nullptr;
    long const size = SSL_get_tlsext_status_ocsp_resp(both->client.native_handle(), &data);
    if (!data || size <= 0) return {};
    return {reinterpret_cast<char const*>(data), static_cast<std::size_t>(size)};
  }

  std::optional<engine_pair> both;
};

bool ends_with_code(std::string const& text, std::string_view code) {
  return text.ends_with("[cotls: " + std::string(code) + "]");
}

bool refused_as(error const& thrown, std::string_view why) {
  return thrown.code() == errc::invalid_ocsp_response &&
         std::string_view(thrown.what()).find(why) != std::string_view::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ocsp_responses, fixture)

BOOST_DATA_TEST_CASE_F(fixture, what_a_server_staples_is_good_for_a_client_that_requires_it,
                       versions, version) {
  std::string const der = answer().der();
  BOOST_TEST(connect(asking(ocsp::require, version), serving().set_ocsp_response(der)));
  BOOST_TEST((stapled() == der));
  BOOST_TEST(both->client.peer().verified());
}

BOOST_DATA_TEST_CASE_F(fixture, what_became_of_it_is_known_of_the_peer, versions, version) {
  auto const known = [&] { return both->client.peer().ocsp_response(); };
  server_context const server = serving().set_ocsp_response(answer().der());
  client_context const client = asking(ocsp::ask, version);
  both.emplace(client, server, client_options().host("localhost"));
  BOOST_TEST((known() == cotls::stapled::none));
  BOOST_TEST(both->connect());
  BOOST_TEST((known() == cotls::stapled::good));
  // A server has nobody's but its own.
  BOOST_TEST((both->server.peer().ocsp_response() == cotls::stapled::none));
  BOOST_TEST(connect(client, serving()));
  BOOST_TEST((known() == cotls::stapled::none));
  BOOST_TEST(connect(asking(ocsp::none, version), server));
  BOOST_TEST((known() == cotls::stapled::none));
  std::string const revoked = answer().says(revocation_status::revoked).der();
  for (std::string const& der : {revoked, std::string("garbage")}) {
    BOOST_TEST(!connect(client, stapling_blindly(der)));
    BOOST_TEST((known() == cotls::stapled::refused));
  }
}

BOOST_AUTO_TEST_CASE(the_last_word_is_told_whether_one_was_good) {
  std::vector<cotls::stapled> told;
  auto const listen = [&](peer_info const& peer, connection_info const&) {
    told.push_back(peer.ocsp_response());
    return peer.ocsp_response() == cotls::stapled::good;
  };
  client_context const client = asking(ocsp::ask).on_established(listen);
  BOOST_TEST(connect(client, serving().set_ocsp_response(answer().der())));
  BOOST_TEST(!connect(client, serving()));
  BOOST_TEST((told == std::vector{cotls::stapled::good, cotls::stapled::none}));
}

BOOST_AUTO_TEST_CASE(one_is_good_when_the_server_has_proved_to_have_the_key) {
  both.emplace(asking(ocsp::ask), serving().set_ocsp_response(answer().der()),
               client_options().host("localhost"));
  both->client.handshake();
  engine_pair::carry(both->client, both->server);
  both->server.handshake();
  // All but the server's Finished, of up to 74 bytes, and what proves that it has the key.
  asio::const_buffer const flight = both->server.output();
  both->client.input(asio::buffer(flight, flight.size() - 120));
  both->server.consume_output(flight.size() - 120);
  BOOST_TEST((both->client.handshake().want == want::input));
  BOOST_TEST((both->client.peer().ocsp_response() == cotls::stapled::unjudged));
  BOOST_TEST(both->connect());
  BOOST_TEST((both->client.peer().ocsp_response() == cotls::stapled::good));
}

// An adopted context that asks by itself.
BOOST_AUTO_TEST_CASE(what_nobody_has_judged_is_not_good) {
  boost::asio::ssl::context adopted(boost::asio::ssl::context::tls_client);
  SSL_CTX_set_tlsext_status_type(adopted.native_handle(), TLSEXT_STATUSTYPE_ocsp);
  adopted.set_verify_mode(boost::asio::ssl::verify_peer);
  client_context client(std::move(adopted));
  client.add_root(root().certificate());
  BOOST_TEST(connect(client, serving().set_ocsp_response(answer().der())));
  BOOST_TEST((both->client.peer().ocsp_response() == cotls::stapled::unjudged));
}

// As asio's own stream does, or ours in its place. Nothing says that it may lack a response.
BOOST_AUTO_TEST_CASE(a_connection_that_others_make_with_the_context_must_have_one) {
  client_context const client = asking(ocsp::ask);
  SSL_CTX* const native = client.native_handle();
  engine{client, client_options().host("localhost")};   // which seals it
  for (bool const staples : {true, false}) {
    server_context stapling = serving();
    if (staples) stapling.set_ocsp_response(answer().der());
    engine server(stapling);
    detail::memory_channel link;
    detail::ssl_engine ours(native, link);
    ours.set_role(detail::role::client);
    BOOST_TEST(!shake_hands(ours, link, server) == staples);
    BOOST_TEST((ours.peer().ocsp_response() ==
                (staples ? cotls::stapled::good : cotls::stapled::none)));
  }
}

BOOST_DATA_TEST_CASE_F(fixture, a_client_that_requires_one_refuses_a_server_without, versions,
                       version) {
  std::string const why = refusal(asking(ocsp::require, version), serving());
  BOOST_TEST(ends_with_code(why, "no_ocsp_response"), why);
  BOOST_TEST((both->client_code == errc::no_ocsp_response));
  BOOST_TEST((both->server_code == alert::bad_certificate_status_response));
  BOOST_TEST(connect(asking(ocsp::ask, version), serving()));
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_to_who_does_not_ask) {
  server_context const server = serving().set_ocsp_response(answer().der());
  BOOST_TEST(connect(asking(ocsp::none), server));
  BOOST_TEST(stapled().empty());
  BOOST_TEST(connect(client_context().add_root(root().certificate()), server));
  BOOST_TEST(stapled().empty());
  BOOST_TEST(connect(asking(ocsp::ask).set_ocsp(ocsp::none), server));
  BOOST_TEST(stapled().empty());
  BOOST_TEST(connect(asking(ocsp::ask), server));
  BOOST_TEST(!stapled().empty());
}

BOOST_AUTO_TEST_CASE(certificates_may_be_named_by_another_digest) {
  BOOST_TEST(connect(asking(ocsp::require),
                     serving().set_ocsp_response(answer().with_sha256().der())));
}

BOOST_AUTO_TEST_CASE(the_issuer_may_let_another_sign) {
  issued const responder = root().issue(
      certificate_request({"responder"}).use(purpose::ocsp_responder));
  BOOST_TEST(connect(asking(ocsp::require),
                     serving().set_ocsp_response(answer().signed_by(responder).der())));
}

BOOST_AUTO_TEST_CASE(an_intermediate_speaks_for_what_it_has_issued) {
  authority const middle = root().make_intermediate("middle");
  issued const one = middle.issue(certificate_request({"localhost"}));
  std::string const good = ocsp_answer(one.leaf(), middle).der();
  BOOST_TEST(connect(asking(ocsp::require), serving(one).set_ocsp_response(good)));
  // The root has not issued it.
  std::string const wrong = ocsp_answer(one.leaf(), root()).der();
  std::string const why = refusal(asking(ocsp::ask), stapling_blindly(wrong, one));
  BOOST_TEST(ends_with_code(why, "invalid_ocsp_response"), why);
}

BOOST_DATA_TEST_CASE_F(fixture, a_revoked_certificate_is_refused, versions, version) {
  server_context const server =
      serving().set_ocsp_response(answer().says(revocation_status::revoked).der());
  std::string const why = refusal(asking(ocsp::ask, version), server);
  BOOST_TEST(why.find("the peer's certificate was revoked") != std::string::npos, why);
  BOOST_TEST(both->client.last_error().verify_result() == X509_V_ERR_CERT_REVOKED);
  BOOST_TEST((both->server_code == alert::bad_certificate_status_response));
}

BOOST_AUTO_TEST_CASE(what_is_not_good_enough_is_refused_by_who_only_asks_too) {
  issued const other = root().issue(certificate_request({"localhost"}));
  authority const stranger("root");
  issued const responder = stranger.issue(
      certificate_request({"responder"}).use(purpose::ocsp_responder));
  issued const not_for_it = root().issue(certificate_request({"responder"}));
  issued const old_responder =
      root().issue(certificate_request({"responder"})
                       .use(purpose::ocsp_responder)
                       .valid(-std::chrono::hours(3), -std::chrono::hours(1)));
  std::string cut = answer().der();
  cut.pop_back();
  std::string altered = answer().der();
  altered[altered.size() - 3] ^= 1;   // in the signature
  std::vector<std::pair<std::string, std::string>> const cases{
      {answer().says(revocation_status::unknown).der(), "certificate is unknown"},
      {answer().valid(-48h, -1h).der(), "it has expired"},
      {answer().valid(1h, 48h).der(), "it is not valid yet"},
      {answer().valid(-1h, std::nullopt).der(), "it has no end"},
      {answer(other).der(), "it is of another certificate"},
      {ocsp_answer(served().leaf(), stranger).der(), "it is of another certificate"},
      {answer().signed_by(responder).der(), "signature is not that of"},
      {answer().signed_by(not_for_it).der(), "signature is not that of"},
      {answer().signed_by(old_responder).der(), "signature is not that of"},
      {altered, "signature is not that of"},
      {cut, "no OCSP response"},
      {answer().der() + 'x', "no OCSP response"},
      {"garbage", "no OCSP response"},
      {failed_ocsp_response(), "the responder has failed"},
  };
  for (auto const& [der, reason] : cases) {
    std::string const why = refusal(asking(ocsp::ask), stapling_blindly(der));
    BOOST_TEST(ends_with_code(why, "invalid_ocsp_response"), why);
    BOOST_TEST(why.find(reason) != std::string::npos, why);
  }
  BOOST_TEST(connect(asking(ocsp::ask), stapling_blindly(answer().der())));
}

BOOST_AUTO_TEST_CASE(who_signs_for_others_cannot_revoke) {
  authority const stranger("root");
  issued const responder = stranger.issue(
      certificate_request({"responder"}).use(purpose::ocsp_responder));
  std::string const der =
      answer().says(revocation_status::revoked).signed_by(responder).der();
  std::string const why = refusal(asking(ocsp::ask), stapling_blindly(der));
  BOOST_TEST(ends_with_code(why, "invalid_ocsp_response"), why);
}

BOOST_AUTO_TEST_CASE(a_certificate_that_must_be_stapled_is_refused_without) {
  issued const strict = root().issue(certificate_request({"localhost"}).must_staple());
  std::string const why = refusal(asking(ocsp::ask), serving(strict));
  BOOST_TEST(ends_with_code(why, "no_ocsp_response"), why);
  BOOST_TEST(connect(asking(ocsp::ask), serving(strict).set_ocsp_response(answer(strict).der())));
}

BOOST_AUTO_TEST_CASE(a_server_leaves_out_one_that_has_expired) {
  server_context const server = serving().set_ocsp_response(answer().der());
  BOOST_TEST(connect(asking(ocsp::ask), server));
  BOOST_TEST(!stapled().empty());
  auto const later = std::chrono::system_clock::now() + 25h;
  server_context const old = serving().set_ocsp_response(answer().der()).set_verify_time(later);
  BOOST_TEST(connect(asking(ocsp::ask), old));
  BOOST_TEST(stapled().empty());
}

BOOST_AUTO_TEST_CASE(a_client_verifies_it_as_of_its_own_time) {
  issued const lasting = root().issue(certificate_request({"localhost"}).valid(-1h, 100h));
  server_context const server = serving(lasting).set_ocsp_response(answer(lasting).der());
  BOOST_TEST(connect(asking(ocsp::require), server));
  auto const later = std::chrono::system_clock::now() + 25h;
  std::string const why = refusal(asking(ocsp::require).set_verify_time(later), server);
  BOOST_TEST(why.find("it has expired") != std::string::npos, why);
}

BOOST_AUTO_TEST_CASE(what_is_no_response_cannot_be_set) {
  server_context server = serving();
  std::vector<std::pair<std::string, std::string_view>> const cases{
      {"", "no OCSP response"},
      {"garbage", "no OCSP response"},
      {answer().der() + 'x', "no OCSP response"},
      {failed_ocsp_response(), "the responder has failed"},
      {answer().valid(-1h, std::nullopt).der(), "it has no end"},
  };
  for (auto const& [der, why] : cases) {
    BOOST_CHECK_EXCEPTION(server.set_ocsp_response(der), error,
                          [&](error const& thrown) { return refused_as(thrown, why); });
  }
  // Nothing was set by any of it.
  BOOST_TEST(connect(asking(ocsp::ask), server));
  BOOST_TEST(stapled().empty());
}

BOOST_AUTO_TEST_CASE(a_response_for_another_certificate_is_found_when_the_context_is_used) {
  issued const other = root().issue(certificate_request({"localhost"}));
  server_context server = serving().set_ocsp_response(answer(other).der());
  BOOST_CHECK_EXCEPTION(engine{server}, error, [](error const& thrown) {
    return refused_as(thrown, "it is of another certificate");
  });
  server.set_ocsp_response(answer().der());
  BOOST_TEST(connect(asking(ocsp::require), server));
}

BOOST_AUTO_TEST_CASE(a_response_is_loaded_from_a_file) {
  temporary_directory const directory;
  std::string const file = directory.write("response.der", answer().der());
  BOOST_TEST(connect(asking(ocsp::require), serving().load_ocsp_response(file)));
  std::string const text = directory.write("response.txt", "none");
  BOOST_CHECK_EXCEPTION(serving().load_ocsp_response(text), error, [](error const& thrown) {
    return refused_as(thrown, "response.txt");
  });
  BOOST_CHECK_EXCEPTION(serving().load_ocsp_response(file + ".none"), error,
                        [](error const& thrown) {
                          return thrown.code() == boost::system::errc::no_such_file_or_directory;
                        });
}

BOOST_AUTO_TEST_CASE(asking_without_verifying_is_no_setting) {
  client_context const client = client_context().set_verify(verify::none).set_ocsp(ocsp::ask);
  BOOST_CHECK_EXCEPTION((engine{client, client_options().host("localhost")}), error,
                        [](error const& thrown) {
                          return thrown.code() == errc::invalid_setting;
                        });
}

BOOST_AUTO_TEST_CASE(a_connection_that_verifies_nothing_takes_no_response_either) {
  both.emplace(asking(ocsp::ask), serving().set_ocsp_response(answer().der()),
               client_options().host("localhost"));
  SSL_set_verify(both->client.native_handle(), SSL_VERIFY_NONE, nullptr);
  BOOST_TEST(!both->connect());
  BOOST_TEST((both->client_code == errc::invalid_ocsp_response));
}

BOOST_AUTO_TEST_CASE(a_verifiers_word_stands_beside_the_responses) {
  client_context client = asking(ocsp::require).set_verifier(
      [](bool, verification const&) { return true; });
  BOOST_TEST(connect(client, serving().set_ocsp_response(answer().der())));
  std::string const revoked = answer().says(revocation_status::revoked).der();
  BOOST_TEST(!connect(client, serving().set_ocsp_response(revoked)));
}

BOOST_AUTO_TEST_CASE(a_virtual_host_staples_its_own) {
  issued const other = root().issue(certificate_request({"other.test"}));
  server_context const host = serving().set_ocsp_response(answer().der());
  server_context const server =
      serving(other).set_ocsp_response(answer(other).der()).add_virtual_host("localhost", host);
  BOOST_TEST(connect(asking(ocsp::require), server));
}

BOOST_AUTO_TEST_CASE(what_is_read_never_goes_beyond_its_end) {
  std::string const whole = answer().der();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::vector<unsigned char> const cut(whole.begin(),
                                         whole.begin() + static_cast<std::ptrdiff_t>(size));
    BOOST_TEST_REQUIRE(!detail::ocsp_response(cut).defect().empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::ocsp_test
