// Pins: a client talks to none but servers whose chain has a key that it knows.

#include "engine_pair.hpp"
#include "pki.hpp"
#include "print.hpp"

#include <cotls/key_pin.hpp>

#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace cotls::test::pins_test {
namespace {

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

// A digest of no key.
std::string const backup = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

auto const refuses_setting = [](error const& thrown) {
  return thrown.code() == errc::invalid_setting;
};

struct fixture {
  authority root{"root"};
  authority between = root.make_intermediate("between");
  issued shown = between.issue(certificate_request({"server.test"}));
  issued another = between.issue(certificate_request({"server.test"}));
  key_pin const of_leaf = key_pin::of(shown.leaf());
  key_pin const of_between = key_pin::of(between.certificate());
  key_pin const of_root = key_pin::of(root.certificate());

  client_context make_client(protocol version, std::vector<key_pin> pins) const {
    return client_context(version).add_root(root.certificate()).set_pins(std::move(pins));
  }

  server_context make_server() const { return server_context().use(shown.identity()); }

  bool connect(client_context const& client, server_context const& server) {
    both.emplace(client, server, client_options().host("server.test").port(443));
    return both->connect();
  }

  bool resumed() const { return both->client.info().resumed; }

  std::optional<engine_pair> both;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(pins, fixture)

BOOST_DATA_TEST_CASE_F(fixture, any_key_of_the_verified_chain_will_do, versions, version) {
  for (key_pin const& pin : {of_leaf, of_between, of_root}) {
    BOOST_TEST(connect(make_client(version, {backup, pin}), make_server()));
    BOOST_TEST(both->client.peer().verified());
  }
}

BOOST_DATA_TEST_CASE_F(fixture, a_chain_without_a_pinned_key_is_refused_in_the_handshake, versions,
                       version) {
  BOOST_TEST(!connect(make_client(version, {backup, key_pin::of(another.leaf())}), make_server()));
  BOOST_TEST(both->client_code == errc::no_pinned_key);
  BOOST_TEST(both->server_code == alert::bad_certificate);
  BOOST_TEST(!both->client.peer().verified());
}

BOOST_AUTO_TEST_CASE(the_error_says_which_keys_the_chain_has) {
  BOOST_TEST(!connect(make_client(protocol::tls1_3, {backup}), make_server()));
  error const failed = both->client.last_error();
  BOOST_TEST(failed.code() == errc::no_pinned_key);
  std::string const list =
      "(its keys are " + of_leaf.text() + ", " + of_between.text() + ", " + of_root.text() + ')';
  BOOST_TEST(std::string(failed.what()).find(list) != std::string::npos, failed.what());
}

// What a server sends beside its chain is not verified, and proves nothing.
BOOST_AUTO_TEST_CASE(a_pinned_certificate_that_is_only_sent_along_does_not_count) {
  authority const foreign("foreign");
  issued mixed = shown;
  mixed.intermediates += foreign.pem();
  server_context const server = server_context().use(mixed.identity());
  BOOST_TEST(!connect(make_client(protocol::tls1_3, {key_pin::of(foreign.certificate())}), server));
  BOOST_TEST(connect(make_client(protocol::tls1_3, {of_root}), server));
}

BOOST_AUTO_TEST_CASE(a_pinned_key_is_no_substitute_for_trust) {
  authority const foreign("foreign");
  issued const unknown = foreign.issue(certificate_request({"server.test"}));
  client_context const client = make_client(protocol::tls1_3, {key_pin::of(unknown.leaf())});
  BOOST_TEST(!connect(client, server_context().use(unknown.identity())));
  BOOST_TEST(both->client_code != errc::no_pinned_key);
  issued const other = between.issue(certificate_request({"other.test"}));
  BOOST_TEST(!connect(make_client(protocol::tls1_3, {key_pin::of(other.leaf())}),
                      server_context().use(other.identity())));
  BOOST_TEST(both->client.last_error().verify_result() == X509_V_ERR_HOSTNAME_MISMATCH);
}

BOOST_DATA_TEST_CASE_F(fixture, a_resumed_connection_is_held_to_the_pins_too, versions, version) {
  client_context const client = make_client(version, {of_root});
  server_context const server = make_server();
  for (bool expected : {false, true, true}) {
    BOOST_REQUIRE(connect(client, server));
    BOOST_TEST(resumed() == expected);
  }
}

// A session that the program has from elsewhere was verified by nobody who knew of the pins.
BOOST_DATA_TEST_CASE_F(fixture, a_session_that_the_program_brings_is_held_to_the_pins, versions,
                       version) {
  client_context const free = client_context(version).add_root(root.certificate());
  static SSL_SESSION* kept = nullptr;
  SSL_CTX_set_session_cache_mode(free.native_handle(), SSL_SESS_CACHE_CLIENT);
  SSL_CTX_sess_set_new_cb(free.native_handle(), [](SSL*, SSL_SESSION* session) {
    SSL_SESSION_free(kept);
    kept = SSL_SESSION_dup(session);   // the live one is of no use once its connection is gone
    return 0;
  });
  server_context const server = make_server();
  BOOST_REQUIRE(connect(free, server));
  BOOST_REQUIRE(kept != nullptr);
  for (bool right : {true, false}) {
    client_context const client = make_client(version, {right ? of_root : key_pin(backup)});
    both.emplace(client, server, client_options().host("server.test"));
    SSL_SESSION* const copy = SSL_SESSION_dup(kept);
    SSL_set_session(both->client.native_handle(), copy);
    SSL_SESSION_free(copy);
    BOOST_TEST(both->connect() == right);
    BOOST_TEST(both->server.info().resumed);
    BOOST_TEST(both->client_code == (right ? error_code() : make_error_code(errc::no_pinned_key)));
  }
  SSL_SESSION_free(kept);
  kept = nullptr;
}

BOOST_DATA_TEST_CASE_F(fixture, a_connection_that_does_not_verify_has_no_pinned_key, versions,
                       version) {
  client_context const client = make_client(version, {of_root});
  both.emplace(client, make_server(), client_options().host("server.test"));
  SSL_set_verify(both->client.native_handle(), SSL_VERIFY_NONE, nullptr);
  BOOST_TEST(!both->connect());
  BOOST_TEST(both->client_code == errc::no_pinned_key);
}

BOOST_AUTO_TEST_CASE(a_verifier_may_accept_a_chain_that_is_known_by_its_key_alone) {
  authority const foreign("foreign");
  issued const unknown = foreign.issue(certificate_request({"server.test"}));
  auto const trusting = [&](key_pin const& pin) {
    return make_client(protocol::tls1_3, {pin}).set_verifier([](bool, verification const&) {
      return true;
    });
  };
  server_context const server = server_context().use(unknown.identity());
  BOOST_TEST(connect(trusting(key_pin::of(unknown.leaf())), server));
  BOOST_TEST(!connect(trusting(of_root), server));
}

BOOST_AUTO_TEST_CASE(at_least_one_pin_must_be_given) {
  client_context client;
  BOOST_CHECK_EXCEPTION(client.set_pins({}), error, refuses_setting);
  BOOST_CHECK_NO_THROW(client.set_pins({backup}));
}

BOOST_AUTO_TEST_CASE(pins_without_verification_are_refused) {
  client_context const client = client_context().set_verify(verify::none).set_pins({backup});
  BOOST_CHECK_EXCEPTION(engine(client, client_options()), error, refuses_setting);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(key_pins, fixture)

BOOST_AUTO_TEST_CASE(a_pin_is_read_as_it_is_written) {
  BOOST_TEST(of_leaf.text().starts_with("sha256/"));
  BOOST_TEST(of_leaf.text().size() == 51u);
  BOOST_TEST((key_pin(of_leaf.text()) == of_leaf));
  BOOST_TEST((key_pin(of_leaf.text().substr(7)) == of_leaf));
  BOOST_TEST((key_pin(of_leaf.digest()) == of_leaf));
  BOOST_TEST((of_leaf != of_root));
}

// openssl x509 -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64
BOOST_AUTO_TEST_CASE(a_pin_is_the_digest_of_the_keys_info) {
  unsigned char* der = nullptr;
  certificate const leaf = shown.leaf();
  EVP_PKEY* const key = X509_get0_pubkey(leaf.native_handle());
  int const size = i2d_PUBKEY(key, &der);
  std::array<unsigned char, 32> digest;
  BOOST_REQUIRE(EVP_Digest(der, static_cast<std::size_t>(size), digest.data(), nullptr,
                           EVP_sha256(), nullptr) == 1);
  OPENSSL_free(der);
  BOOST_TEST((key_pin(digest) == of_leaf));
}

BOOST_AUTO_TEST_CASE(what_is_no_digest_in_base64_is_refused) {
  std::string const blanks = backup.substr(0, 42) + " =";
  std::string const odd_end = backup.substr(0, 42) + "B=";   // bits behind the last byte
  std::vector<std::string> const malformed{
      "", "AAAA", "sha256/", "sha1/" + backup, backup.substr(1), backup + '=', backup + backup,
      '!' + backup.substr(1), ' ' + backup, backup + '\n', blanks, odd_end, std::string(44, '='),
      std::string(44, 'A'), std::string(32, 'x')};
  for (std::string const& text : malformed) {
    BOOST_CHECK_EXCEPTION(key_pin{text}, error, refuses_setting);
  }
  BOOST_CHECK_EXCEPTION(client_context().set_pins({backup, "no pin"}), error, refuses_setting);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::pins_test
