// A cotls listener, and `openssl s_client` as its peer.

#include "certificates.hpp"
#include "print.hpp"
#include "process.hpp"
#include "programs.hpp"
#include "served.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/x509_vfy.h>

#include <string>
#include <vector>

namespace cotls::test::openssl_client_test {
namespace {

certificates const& pki() { return certificates::all(); }

std::string why(served const& report) {
  return report.failure ? report.failure->what() : std::string();
}

// Digits only: some letters at the start of a line are commands to s_client.
std::string digits(std::size_t size) {
  std::string text(size, '\n');
  for (std::size_t i = 0; i < size; ++i) {
    if (i % 1000 != 999) text[i] = static_cast<char>('0' + i * 7 % 10);
  }
  return text;
}

server_context asking_for_certificates(verify mode) {
  server_context made = certificates::serve(pki().localhost);
  made.add_root(pki().root.certificate()).set_verify(mode);
  return made;
}

words certificate_of(entity const& who) {
  return {"-cert", who.files.certificate, "-key", who.files.key,
          "-cert_chain", who.files.intermediates};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(openssl_client)

BOOST_DATA_TEST_CASE(each_version_is_negotiated, both_versions, asked) {
  server_thread server(certificates::serve(pki().localhost), greet);
  process peer(s_client(server.port(), {asked.option, "-ign_eof"}));
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST(peer.output() == "good day\n");
  BOOST_TEST(says(peer, std::string("Protocol version: ") + asked.name));
  BOOST_TEST(says(peer, "Verification: OK"));
  BOOST_TEST(says(peer, "Verified peername: localhost"));

  served const report = server.next();
  BOOST_TEST(report.info.version == asked.name);
  BOOST_TEST(says(peer, "Ciphersuite: " + report.info.suite));
  BOOST_TEST(!report.info.resumed);
  BOOST_TEST(!report.failure.has_value());
}

BOOST_AUTO_TEST_CASE(a_version_the_context_does_not_speak_is_refused) {
  server_thread server(certificates::serve(pki().localhost, protocol::tls1_3), greet);
  process peer(s_client(server.port(), {"-tls1_2"}));
  BOOST_TEST(peer.wait() != 0);
  BOOST_TEST(says(peer, "alert protocol version"));
  BOOST_TEST(why(server.next()).find("share no version of the protocol") != std::string::npos);
}

BOOST_DATA_TEST_CASE(two_megabytes_are_echoed_unchanged, both_versions, asked) {
  server_thread server(certificates::serve(pki().localhost), echo);
  std::string const sent = digits(2 << 20);
  process peer(s_client(server.port(), {asked.option}));
  peer.give(sent);
  BOOST_TEST(peer.prints_bytes(sent.size()));
  BOOST_TEST((peer.output() == sent));
  peer.end_input();
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST(server.next().received == sent.size());
}

BOOST_DATA_TEST_CASE(its_close_notify_is_seen_and_answered, both_versions, asked) {
  server_thread server(certificates::serve(pki().localhost), echo);
  process peer(s_client(server.port(), {asked.option}));
  peer.end_input();
  BOOST_TEST(peer.wait() == 0);
  served const report = server.next();
  BOOST_TEST(report.accepted);
  BOOST_TEST(why(report) == "");
}

BOOST_DATA_TEST_CASE(its_death_is_not_taken_for_a_close_notify, both_versions, asked) {
  server_thread server(certificates::serve(pki().localhost), echo);
  process peer(s_client(server.port(), {asked.option}));
  peer.give("0123\n");
  BOOST_TEST(peer.prints("0123\n"));
  peer.kill();
  served const report = server.next();
  BOOST_TEST(report.received == 5u);
  BOOST_REQUIRE(report.failure.has_value());
  BOOST_TEST(report.failure->code() == errc::stream_truncated);
}

BOOST_AUTO_TEST_CASE(our_close_notify_ends_it_and_is_answered) {
  server_thread server(certificates::serve(pki().localhost), greet);
  process peer(s_client(server.port()));
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST(why(server.next()) == "");
}

BOOST_AUTO_TEST_CASE(the_name_it_asks_for_is_known) {
  server_thread server(certificates::serve(pki().localhost), greet);
  process peer(s_client(server.port(), {"-servername", "localhost"}));
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST(server.next().info.server_name == "localhost");
}

BOOST_AUTO_TEST_CASE(no_name_is_known_when_it_asks_for_none) {
  server_thread server(certificates::serve(pki().localhost), greet);
  process peer(s_client(server.port(), {"-noservername"}));
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST(server.next().info.server_name == "");
}

BOOST_DATA_TEST_CASE(alpn_is_chosen_in_our_order, both_versions, asked) {
  server_context context = certificates::serve(pki().localhost);
  context.set_alpn({"h2", "http/1.1"});
  server_thread server(context, greet);
  process peer(s_client(server.port(), {asked.option, "-alpn", "http/1.1,h2"}));
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST(server.next().info.alpn == "h2");
}

BOOST_AUTO_TEST_CASE(without_a_common_alpn_protocol_the_connection_has_none_if_we_say_so) {
  server_context context = certificates::serve(pki().localhost);
  context.set_alpn({"h2"}, alpn_mismatch::proceed);
  server_thread server(context, greet);
  process peer(s_client(server.port(), {"-alpn", "http/1.1"}));
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST(server.next().info.alpn == "");
}

BOOST_DATA_TEST_CASE(without_a_common_alpn_protocol_it_is_refused, both_versions, asked) {
  server_context context = certificates::serve(pki().localhost);
  context.set_alpn({"h2"});
  server_thread server(context, greet);
  process peer(s_client(server.port(), {asked.option, "-alpn", "http/1.1"}));
  BOOST_TEST(peer.wait() != 0);
  BOOST_TEST(says(peer, "alert no application protocol"));
  BOOST_TEST(!server.next().accepted);
}

BOOST_AUTO_TEST_CASE(a_group_both_know_is_used) {
  server_context context = certificates::serve(pki().localhost);
  context.set_groups("P-384");
  server_thread server(context, greet);
  process peer(s_client(server.port(), {"-groups", "X25519:P-384"}));   // by HelloRetryRequest
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST(server.next().info.group == "secp384r1");
}

BOOST_AUTO_TEST_CASE(without_a_common_group_it_is_refused) {
  server_context context = certificates::serve(pki().localhost);
  context.set_groups("P-384");
  server_thread server(context, greet);
  process peer(s_client(server.port(), {"-tls1_3", "-groups", "X25519"}));
  BOOST_TEST(peer.wait() != 0);
  BOOST_TEST(says(peer, "alert handshake failure"));
  BOOST_TEST(why(server.next()).find("share no key exchange group") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_rsa_certificate_is_accepted_too) {
  server_thread server(certificates::serve(pki().localhost_rsa), greet);
  process peer(s_client(server.port(), {"-tls1_2"}));
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST(server.next().info.suite.find("ECDHE-RSA") == 0u);
}

BOOST_DATA_TEST_CASE(it_refuses_our_unknown_authority_and_says_so, both_versions, asked) {
  server_thread server(certificates::serve(pki().localhost), greet);
  process peer(s_client(server.port(), {asked.option}, "localhost", pki().strangers_root_file));
  BOOST_TEST(peer.wait() != 0);
  BOOST_TEST(says(peer, "unable to get local issuer certificate"));
  served const report = server.next();
  BOOST_TEST(!report.accepted);
  BOOST_TEST(why(report).find("unknown_ca") != std::string::npos);
  BOOST_TEST((report.failure->alert() == alert::unknown_ca));
}

BOOST_AUTO_TEST_CASE(it_refuses_our_certificate_for_another_host_and_says_so) {
  server_thread server(certificates::serve(pki().localhost), greet);
  process peer(s_client(server.port(), {}, "wrong.example"));
  BOOST_TEST(peer.wait() != 0);
  BOOST_TEST(says(peer, "hostname mismatch"));
  BOOST_TEST(why(server.next()).find("bad_certificate") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(it_refuses_our_expired_certificate_and_says_so) {
  server_thread server(certificates::serve(pki().expired), greet);
  process peer(s_client(server.port()));
  BOOST_TEST(peer.wait() != 0);
  BOOST_TEST(says(peer, "certificate has expired"));
  BOOST_TEST(why(server.next()).find("certificate_expired") != std::string::npos);
}

BOOST_DATA_TEST_CASE(its_certificate_is_verified_when_we_require_one, both_versions, asked) {
  server_thread server(asking_for_certificates(verify::required), greet);
  process peer(s_client(server.port(), certificate_of(pki().client) + words{asked.option}));
  BOOST_TEST(peer.wait() == 0);
  served const report = server.next();
  BOOST_TEST(report.peer_verified);
  BOOST_TEST(report.peer_subject == "CN=client.example");
}

BOOST_DATA_TEST_CASE(without_a_certificate_it_is_refused_when_we_require_one, both_versions,
                     asked) {
  server_thread server(asking_for_certificates(verify::required), greet);
  process peer(s_client(server.port(), {asked.option, "-ign_eof"}));
  BOOST_TEST(peer.wait() != 0);
  BOOST_TEST(says(peer, std::string_view(asked.name) == "TLSv1.3" ? "alert certificate required"
                                                                  : "alert handshake failure"));
  served const report = server.next();
  BOOST_TEST(!report.accepted);
  BOOST_TEST(why(report).find("the client sent no certificate") != std::string::npos);
}

BOOST_DATA_TEST_CASE(its_certificate_of_an_unknown_authority_is_refused, both_versions, asked) {
  auto const mode = verify::optional;   // a bad certificate is no better than the lack of one
  server_thread server(asking_for_certificates(mode), greet);
  process peer(s_client(server.port(), certificate_of(pki().stranger) +
                                           words{asked.option, "-ign_eof"}));
  BOOST_TEST(peer.wait() != 0);
  BOOST_TEST(says(peer, "alert unknown ca"));
  served const report = server.next();
  BOOST_TEST(!report.accepted);
  BOOST_TEST(report.failure->verify_result() == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
}

BOOST_AUTO_TEST_CASE(without_a_certificate_it_is_let_in_when_we_only_ask) {
  server_thread server(asking_for_certificates(verify::optional), greet);
  process peer(s_client(server.port()));
  BOOST_TEST(peer.wait() == 0);
  served const report = server.next();
  BOOST_TEST(report.accepted);
  BOOST_TEST(!report.peer_verified);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::openssl_client_test
