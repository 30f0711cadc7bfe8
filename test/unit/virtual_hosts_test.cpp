// Virtual hosts: which context a client gets, and that every setting of it applies.

#include "adopted_bio.hpp"
#include "engine_pair.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <cotls/engine.hpp>

#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace cotls::test::virtual_hosts_test {

namespace {

authority const& root() {
  static authority const made("root");
  return made;
}

server_context serving(std::string const& name, protocol versions = protocol::secure) {
  return server_context(versions).use(root().issue(certificate_request({name})).identity());
}

client_context trusting(protocol versions = protocol::secure) {
  return client_context(versions).add_root(root().certificate());
}

// Whom a client that does not care whom it gets has got: the first of the certificate's names.
std::string shown_to(std::string const& asked, server_context const& by) {
  engine_pair both(trusting().set_verify(verify::none), by, client_options().host(asked));
  if (!both.connect()) return "nobody: " + both.client_code.message();
  std::vector<std::string> const names = both.client.peer().certificate()->names();
  return names.empty() ? "" : names.front();
}

struct hosts {
  server_context own = serving("own.test");

  hosts() {
    own.add_virtual_host("a.test", serving("a.test"))
        .add_virtual_host("*.test", serving("any.test"))
        .add_virtual_host("*.b.test", serving("below-b.test"))
        .add_virtual_host("Exact.b.test", serving("exact.b.test"));
  }
};

// A connection to the host "a.test" of a server whose own settings are the usual ones.
struct to_a {
  explicit to_a(server_context const& host, client_context const& client = trusting(),
                client_options const& options = client_options())
      : both(client, serving("own.test").add_virtual_host("a.test", host),
             client_options(options).host("a.test")) {}
  engine_pair both;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(virtual_hosts)

BOOST_FIXTURE_TEST_CASE(an_exact_name_goes_before_a_wildcard_and_both_before_the_default, hosts) {
  BOOST_TEST(shown_to("a.test", own) == "a.test");
  BOOST_TEST(shown_to("A.TEST", own) == "a.test");
  BOOST_TEST(shown_to("c.test", own) == "any.test");
  BOOST_TEST(shown_to("exact.b.test", own) == "exact.b.test");
  BOOST_TEST(shown_to("x.b.test", own) == "below-b.test");
  BOOST_TEST(shown_to("elsewhere.example", own) == "own.test");
}

BOOST_FIXTURE_TEST_CASE(an_asterisk_stands_for_one_label, hosts) {
  BOOST_TEST(shown_to("x.y.test", own) == "own.test");
  BOOST_TEST(shown_to("test", own) == "own.test");
  BOOST_TEST(shown_to("y.x.b.test", own) == "own.test");
}

BOOST_FIXTURE_TEST_CASE(who_asks_for_an_address_gets_the_default, hosts) {
  BOOST_TEST(shown_to("127.0.0.1", own) == "own.test");
}

BOOST_FIXTURE_TEST_CASE(the_context_that_is_given_again_is_the_one, hosts) {
  own.add_virtual_host("a.test", serving("later.test"));
  BOOST_TEST(shown_to("a.test", own) == "later.test");
}

BOOST_FIXTURE_TEST_CASE(an_unknown_host_is_refused_by_name_where_that_is_asked_for, hosts) {
  own.set_unknown_host(unknown_host::refuse);
  engine_pair both(trusting(), own, client_options().host("elsewhere.example"));
  BOOST_TEST(!both.connect());
  BOOST_TEST(both.client_code == alert::unrecognized_name);
  BOOST_TEST(both.server_code == errc::unserved_host);
  BOOST_TEST(shown_to("a.test", own) == "a.test");
  BOOST_TEST(shown_to("127.0.0.1", own) == "own.test");
}

BOOST_AUTO_TEST_CASE(a_server_that_refuses_unknown_hosts_needs_no_certificate_of_its_own) {
  server_context own;
  own.add_virtual_host("a.test", serving("a.test"));
  BOOST_CHECK_EXCEPTION(engine{server_context(own)}, error,
                        [](error const& e) { return e.code() == errc::no_certificate; });
  own.set_unknown_host(unknown_host::refuse);
  BOOST_TEST(shown_to("a.test", own) == "a.test");
  engine_pair nameless(trusting(), own, client_options().host("127.0.0.1"));
  BOOST_TEST(!nameless.connect());
  BOOST_TEST(nameless.server_code == errc::unserved_host);
}

BOOST_AUTO_TEST_CASE(what_is_no_host_name_is_refused_at_once) {
  for (char const* wrong : {"", "*", "*.", "a.*.test", "*a.test", "10.0.0.1", "::1", "*.10.0.0.1",
                            ".test", "z\xc3\xb6.test", "a b.test", "**.test"}) {
    BOOST_TEST_CONTEXT(wrong) {
      BOOST_CHECK_EXCEPTION(serving("own.test").add_virtual_host(wrong, serving("a.test")), error,
                            [](error const& e) { return e.code() == errc::invalid_host_name; });
    }
  }
}

BOOST_AUTO_TEST_CASE(no_context_is_its_own_host_and_no_host_has_hosts) {
  auto const refused = [](error const& e) { return e.code() == errc::invalid_setting; };
  server_context one = serving("one.test");
  server_context other = serving("other.test");
  BOOST_CHECK_EXCEPTION(one.add_virtual_host("a.test", one), error, refused);
  one.add_virtual_host("a.test", other);
  BOOST_CHECK_EXCEPTION(other.add_virtual_host("b.test", one), error, refused);
  BOOST_TEST(shown_to("a.test", one) == "other.test");
  BOOST_TEST(other.sealed());
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_host_is_known_before_anybody_comes) {
  server_context own = serving("own.test");
  own.add_virtual_host("a.test", server_context());
  BOOST_CHECK_EXCEPTION(engine{server_context(own)}, error,
                        [](error const& e) { return e.code() == errc::no_certificate; });
}

// T2: each setting of the host applies, and none of the context that the client came to.
// A lookup is one of a table, whatever there is in it; contexts that are shared are one.
BOOST_AUTO_TEST_CASE(ten_thousand_hosts_are_as_any_two) {
  server_context const everybodys = serving("everybodys.test");
  server_context many = serving("own.test");
  for (int i = 0; i < 10'000; ++i) {
    many.add_virtual_host("host-" + std::to_string(i) + ".test", everybodys);
  }
  many.add_virtual_host("host-7.test", serving("seventh.test"));
  BOOST_TEST(shown_to("host-0.test", many) == "everybodys.test");
  BOOST_TEST(shown_to("host-9999.test", many) == "everybodys.test");
  BOOST_TEST(shown_to("host-7.test", many) == "seventh.test");
  BOOST_TEST(shown_to("host-10000.test", many) == "own.test");
}

BOOST_AUTO_TEST_CASE(a_hosts_versions_apply) {
  to_a made(serving("a.test", protocol::tls1_2));
  BOOST_REQUIRE(made.both.connect());
  BOOST_TEST(made.both.client.info().version == "TLSv1.2");
  to_a refused(serving("a.test", protocol::tls1_3), trusting(protocol::tls1_2));
  BOOST_TEST(!refused.both.connect());
  BOOST_TEST(refused.both.client_code == alert::protocol_version);
}

BOOST_AUTO_TEST_CASE(what_a_host_asks_of_clients_applies) {
  server_context host = serving("a.test");
  host.add_root(root().certificate()).set_verify(verify::required);
  to_a without(host);
  BOOST_TEST(!without.both.connect());
  BOOST_TEST(without.both.client_code == alert::certificate_required);
  client_context known = trusting();
  known.use(root().issue(certificate_request({"client.test"}).use(purpose::client)).identity());
  to_a with(host, known);
  BOOST_REQUIRE(with.both.connect());
  BOOST_TEST(with.both.server.peer().verified());
}

BOOST_AUTO_TEST_CASE(a_host_that_asks_nothing_of_clients_asks_nothing) {
  server_context strict = serving("own.test");
  strict.add_root(root().certificate()).set_verify(verify::required);
  strict.add_virtual_host("a.test", serving("a.test"));
  engine_pair both(trusting(), strict, client_options().host("a.test"));
  BOOST_TEST(both.connect());
}

BOOST_AUTO_TEST_CASE(a_hosts_suites_and_groups_apply) {
  server_context host = serving("a.test");
  host.set_ciphers("", "TLS_CHACHA20_POLY1305_SHA256").set_groups("P-384");
  to_a made(host);
  BOOST_REQUIRE(made.both.connect());
  BOOST_TEST(made.both.client.info().suite == "TLS_CHACHA20_POLY1305_SHA256");
  BOOST_TEST(made.both.client.info().group == "secp384r1");
}

BOOST_AUTO_TEST_CASE(a_hosts_alpn_and_its_policy_apply) {
  server_context host = serving("a.test");
  host.set_alpn({"h2"});
  to_a chosen(host, trusting(), client_options().alpn("h2", "http/1.1"));
  BOOST_REQUIRE(chosen.both.connect());
  BOOST_TEST(chosen.both.client.info().alpn == "h2");
  to_a refused(host, trusting(), client_options().alpn("http/1.1"));
  BOOST_TEST(!refused.both.connect());
  BOOST_TEST(refused.both.client_code == alert::no_application_protocol);
}

BOOST_AUTO_TEST_CASE(a_hosts_tickets_and_records_apply) {
  server_context host = serving("a.test");
  host.set_session_tickets(0).set_small_first_records();
  to_a made(host);
  BOOST_REQUIRE(made.both.connect());
  std::string const data(16'384, 'x');
  made.both.server.output();
  BOOST_TEST(SSL_get_num_tickets(made.both.server.native_handle()) == 0u);
  BOOST_TEST(made.both.server.write(asio::buffer(data)).bytes == data.size());
  // The first record's header says how long it is (RFC 8446 section 5.1).
  auto const* const record = static_cast<unsigned char const*>(made.both.server.output().data());
  BOOST_TEST((record[3] << 8 | record[4]) < 1'500);
}

BOOST_AUTO_TEST_CASE(a_session_of_one_host_is_not_resumed_by_another) {
  server_context own = serving("own.test");
  own.add_virtual_host("a.test", serving("a.test")).add_virtual_host("b.test", serving("b.test"));
  client_context const client = trusting();
  auto const session_of = [&](std::string const& host, SSL_SESSION* offered) {
    engine_pair both(client, own, client_options().host(host));
    if (offered) SSL_set_session(both.client.native_handle(), offered);
    BOOST_TEST(both.connect());
    // A copy: the session of a connection that was cut counts for nothing with OpenSSL.
    SSL_SESSION* const own_session = SSL_get_session(both.client.native_handle());
    return std::pair(both.client.info().resumed, SSL_SESSION_dup(own_session));
  };
  auto const [fresh, session] = session_of("a.test", nullptr);
  BOOST_TEST(!fresh);
  auto const [again, same] = session_of("a.test", session);
  BOOST_TEST(again);
  auto const [elsewhere, other] = session_of("b.test", session);
  BOOST_TEST(!elsewhere);
  for (SSL_SESSION* each : {session, same, other}) SSL_SESSION_free(each);
}

BOOST_AUTO_TEST_CASE(a_server_that_begins_by_reading_chooses_too) {
  server_context own = serving("own.test");
  own.add_virtual_host("a.test", serving("a.test"));
  engine client(trusting(), client_options().host("a.test"));
  engine server(own);
  std::array<char, 10> text{};
  BOOST_TEST((server.read(asio::buffer(text)).want == want::input));
  client.handshake();
  std::string const hello(static_cast<char const*>(client.output().data()),
                          client.output().size());
  for (char const& each : hello) {   // byte by byte
    server.input(asio::buffer(&each, 1));
    BOOST_TEST((server.read(asio::buffer(text)).want == want::input));
  }
  client.input(server.output());
  BOOST_TEST((client.handshake().want == want::nothing));
  BOOST_TEST(client.peer().verified());
}

BOOST_AUTO_TEST_CASE(what_was_set_on_the_connection_stays) {
  server_context own = serving("own.test");
  own.add_virtual_host("a.test", serving("a.test").add_root(root().certificate()));
  engine_pair both(trusting(), own, client_options().host("a.test"));
  SSL_set_verify(both.server.native_handle(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                 nullptr);
  BOOST_TEST(!both.connect());
  BOOST_TEST(both.client_code == alert::certificate_required);
}

BOOST_AUTO_TEST_CASE(what_is_no_hello_is_refused_as_ever) {
  server_context own = serving("own.test");
  own.add_virtual_host("a.test", serving("a.test"));
  engine server(own);
  server.input(asio::buffer("GET / HTTP/1.0\r\n\r\n", 18));
  BOOST_TEST((server.handshake().error.category() == openssl_category()));
}

BOOST_AUTO_TEST_CASE(over_an_adopted_bio_nothing_can_be_chosen_and_that_is_said) {
  server_context own = serving("own.test");
  own.add_virtual_host("a.test", serving("a.test"));
  auto [near, far] = bio_pair(1'000);
  BOOST_CHECK_EXCEPTION(engine(own, near.release()), error,
                        [](error const& e) { return e.code() == errc::invalid_setting; });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::virtual_hosts_test
