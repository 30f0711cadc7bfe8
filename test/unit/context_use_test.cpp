// Contexts in use: what their first use ends, and what their connections agree on.

#include "context_fixture.hpp"
#include "print.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <thread>

namespace cotls::test::context_use_test {

BOOST_AUTO_TEST_SUITE(context_seal)

BOOST_AUTO_TEST_CASE(every_setter_of_a_sealed_context_throws) {
  client_context client = trusting_client();
  server_context server = serving(first_identity());
  temporary_directory const directory;
  std::string const file = directory.write("a.pem", first_identity().chain().leaf().pem());
  std::string const key = directory.write("key.pem", first_identity().key().pem());
  std::vector<std::function<void()>> const setters{
      [&] { client.set_verify(verify::none); },
      [&] { client.use(first_identity()); },
      [&] { client.use(first_identity().chain()); },
      [&] { client.use(first_identity().key()); },
      [&] { client.add_root(first_identity().chain().leaf()); },
      [&] { client.load_verify_roots(file); },
      [&] { client.add_roots(first_identity().chain().leaf().pem()); },
      [&] { client.load_certificate_chain(file); },
      [&] { client.load_private_key(key); },
      [&] { client.use_system_roots(); },
      [&] { client.set_ciphers("DEFAULT"); },
      [&] { client.set_groups("P-256"); },
      [&] { client.set_policy(policy::intermediate); },
      [&] { client.set_versions(protocol_version::tls1_2); },
      [&] { client.set_signature_algorithms("ECDSA+SHA256"); },
      [&] { client.set_client_signature_algorithms("ECDSA+SHA256"); },
      [&] { client.set_security_level(1); },
      [&] { client.set_max_certificate_list(10'000); },
      [&] { client.set_max_sent_record(4'096); },
      [&] { client.set_max_fragment_length(4'096); },
      [&] { client.configure("MinProtocol = TLSv1.2"); },
      [&] { server.set_suite_order(suite_order::client); },
      [&] { server.set_dh_auto(); },
      [&] { client.set_alpn({"h2"}); },
      [&] { client.set_session_cache(1); },
      [&] { client.set_key_log([](std::string_view) {}); },
      [&] { client.set_key_log_file("/dev/null"); },
      [&] { client.set_trace([](traced_message const&) {}); },
      [&] { client.set_key_update_after(1'000'000); },
      [&] { client.set_late_authentication(); },
      [&] { client.set_ocsp(ocsp::none); },
      [&] { server.set_alpn({"h2"}); },
      [&] { server.set_session_tickets(2); },
      [&] { server.set_small_first_records(); },
      [&] { server.set_max_client_hello(20'000); },
      [&] { server.load_suggested_authorities(file); },
  };
  for (auto const& set : setters) BOOST_TEST((code_of(set) == errc{}));
  sealed(client);
  sealed(server);
  for (auto const& set : setters) BOOST_TEST((code_of(set) == errc::context_sealed));
}

BOOST_AUTO_TEST_CASE(the_setter_is_named_when_the_context_is_sealed) {
  client_context client = trusting_client();
  sealed(client);
  BOOST_CHECK_EXCEPTION(client.set_groups("P-256"), error, [](error const& thrown) {
    return std::string(thrown.what()).starts_with("set_groups failed: ");
  });
}

// Whoever comes last has the say: the program, where a setter sets something else; a setter, where it
// sets the same again.
BOOST_AUTO_TEST_CASE(a_setter_changes_what_it_sets_in_a_context_that_was_lent_and_nothing_else) {
  temporary_directory const directory;
  std::string const file = directory.write("a.pem", first_identity().chain().leaf().pem());
  server_context server = serving(first_identity()).set_verify(verify::none).set_ciphers("DEFAULT");
  SSL_CTX* const lent = server.native_handle();
  SSL_CTX_set_verify(lent, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cipher_list(lent, "ECDHE-ECDSA-AES256-GCM-SHA384");
  int const suites = sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(lent));
  server.load_suggested_authorities(file).add_roots(first_identity().chain().leaf().pem());
  server.set_groups("P-256").set_alpn({"h2"}).set_session_tickets(2);
  sealed(server);
  BOOST_TEST((server.verify_mode() == verify::optional));
  BOOST_TEST(sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(lent)) == suites);
  client_context client = client_context().set_verify(verify::required);
  SSL_CTX_set_verify(client.native_handle(), SSL_VERIFY_NONE, nullptr);
  client.set_verify(verify::required);
  BOOST_TEST((client.verify_mode() == verify::required));
}

BOOST_AUTO_TEST_CASE(copies_are_sealed_together) {
  client_context const client = trusting_client();
  client_context const copy = client;
  BOOST_TEST(!copy.sealed());
  sealed(client);
  BOOST_TEST(copy.sealed());
}

BOOST_AUTO_TEST_CASE(a_context_that_could_not_be_sealed_can_be_mended) {
  server_context server;
  BOOST_TEST((sealing(server) == errc::no_certificate));
  BOOST_TEST(!server.sealed());
  server.use(first_identity());
  BOOST_TEST((sealing(server) == errc{}));
}

BOOST_AUTO_TEST_CASE(threads_may_seal_a_context_at_once) {
  client_context const client;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([client] { sealed(client); });
  for (std::thread& each : threads) each.join();
  BOOST_TEST(client.sealed());
}

BOOST_AUTO_TEST_CASE(an_adopted_context_is_taken_as_it_is) {
  boost::asio::ssl::context given(boost::asio::ssl::context::tls_server);
  SSL_CTX* const handle = given.native_handle();
  SSL_CTX_set_options(handle, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_verify(handle, SSL_VERIFY_PEER, nullptr);
  auto const options = SSL_CTX_get_options(handle);
  auto const mode = SSL_CTX_get_mode(handle);
  server_context const adopting(std::move(given));
  BOOST_TEST((sealing(adopting) == errc{}));
  BOOST_TEST(adopting.native_handle() == handle);
  BOOST_TEST(SSL_CTX_get_options(handle) == options);
  BOOST_TEST(SSL_CTX_get_mode(handle) == mode);
  BOOST_TEST((adopting.verify_mode() == verify::optional));
}

BOOST_AUTO_TEST_CASE(an_adopted_context_can_be_given_more) {
  server_context adopting{boost::asio::ssl::context(boost::asio::ssl::context::tls_server)};
  adopting.use(first_identity());
  BOOST_TEST(shown_by(adopting) == (texts{"CN=first.test"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_adopted_contexts_chain_is_overwritten_whole) {
  boost::asio::ssl::context given(boost::asio::ssl::context::tls_server);
  X509* const issuer = first_identity().chain().leaf().native_handle();
  SSL_CTX_use_certificate(given.native_handle(), issuer);
  SSL_CTX_add1_chain_cert(given.native_handle(), issuer);
  server_context const adopting = server_context(std::move(given)).use(second_identity());
  BOOST_TEST(shown_by(adopting) == (texts{"CN=second.test"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(context_negotiation)

BOOST_AUTO_TEST_CASE(the_server_chooses_its_preferred_protocol) {
  client_context const client = trusting_client().set_alpn({"http/1.1", "h2"});
  raw_connection both = connect(client, serving(first_identity()).set_alpn({"h2", "http/1.1"}));
  BOOST_TEST(both.handshake());
  BOOST_TEST(both.alpn() == "h2");
}

BOOST_AUTO_TEST_CASE(without_a_common_protocol_the_server_refuses_unless_told_otherwise) {
  client_context const client = trusting_client().set_alpn({"smtp"});
  raw_connection proceeding = connect(
      client, serving(first_identity()).set_alpn({"h2"}, alpn_mismatch::proceed));
  BOOST_TEST(proceeding.handshake());
  BOOST_TEST(proceeding.alpn() == "");
  raw_connection refusing = connect(client, serving(first_identity()).set_alpn({"h2"}));
  BOOST_TEST(!refusing.handshake());
  BOOST_TEST((refusing.client_code() == alert::no_application_protocol));
}

BOOST_AUTO_TEST_CASE(a_client_without_protocols_is_never_refused_for_them) {
  BOOST_TEST(connects(trusting_client(), serving(first_identity()).set_alpn({"h2"})));
}

BOOST_AUTO_TEST_CASE(the_last_list_of_protocols_counts_and_an_empty_one_takes_it_back) {
  client_context const client = trusting_client().set_alpn({"h2"}).set_alpn({"a", "b"});
  raw_connection replaced =
      connect(client, serving(first_identity()).set_alpn({"a"}).set_alpn({"b"}));
  BOOST_TEST(replaced.handshake());
  BOOST_TEST(replaced.alpn() == "b");
  raw_connection cleared = connect(client, serving(first_identity()).set_alpn({"a"}).set_alpn({}));
  BOOST_TEST(cleared.handshake());
  BOOST_TEST(cleared.alpn() == "");
}

BOOST_AUTO_TEST_CASE(a_list_of_protocols_lives_as_long_as_its_connections) {
  raw_connection both =
      connect(trusting_client().set_alpn({"h2"}), serving(first_identity()).set_alpn({"h2"}));
  BOOST_TEST(both.handshake());   // neither context object is there any more
  BOOST_TEST(both.alpn() == "h2");
}

BOOST_AUTO_TEST_CASE(protocol_names_that_cannot_be_sent_are_refused_and_change_nothing) {
  client_context client = trusting_client().set_alpn({"h2"});
  for (texts const& each : {texts{""}, texts{"h2", std::string(256, 'x')},
                            texts(258, std::string(255, 'x'))}) {
    BOOST_TEST((code_of([&] { client.set_alpn(each); }) == errc::invalid_alpn_protocol));
  }
  raw_connection both = connect(client, serving(first_identity()).set_alpn({"h2"}));
  BOOST_TEST(both.handshake());
  BOOST_TEST(both.alpn() == "h2");
}

BOOST_AUTO_TEST_CASE(a_list_of_suites_is_taken_whole_or_not_at_all) {
  server_context server = serving(first_identity(), protocol::tls1_2);
  server.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384");
  BOOST_TEST((code_of([&] { server.set_ciphers("NO-SUCH-SUITE"); }) == errc::invalid_setting));
  BOOST_TEST((code_of([&] { server.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256", "NONE"); }) ==
              errc::invalid_setting));
  raw_connection both = connect(trusting_client(), server);
  BOOST_REQUIRE(both.handshake());
  BOOST_TEST(SSL_get_cipher_name(both.client.get()) ==
             std::string_view("ECDHE-ECDSA-AES256-GCM-SHA384"));
}

BOOST_AUTO_TEST_CASE(suites_of_tls_1_3_are_set_apart) {
  server_context const server =
      serving(first_identity()).set_ciphers("", "TLS_CHACHA20_POLY1305_SHA256");
  raw_connection both = connect(trusting_client(), server);
  BOOST_REQUIRE(both.handshake());
  BOOST_TEST(SSL_get_cipher_name(both.client.get()) ==
             std::string_view("TLS_CHACHA20_POLY1305_SHA256"));
}

BOOST_AUTO_TEST_CASE(groups_are_the_ones_asked_for) {
  server_context const server = serving(first_identity()).set_groups("P-384");
  BOOST_TEST(connects(trusting_client().set_groups("X25519:P-384"), server));
  BOOST_TEST(!connects(trusting_client().set_groups("X25519:P-256"), server));
  BOOST_TEST((code_of([] { trusting_client().set_groups("NO-SUCH"); }) == errc::invalid_setting));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::context_use_test
