// Contexts: what each setting means to a connection that OpenSSL makes with it.

#include "context_fixture.hpp"
#include "print.hpp"
#include "rsa_identity.hpp"
#include "temporary_directory.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace cotls::test::context_test {

namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(context_defaults)

BOOST_AUTO_TEST_CASE(clients_verify_and_servers_do_not) {
  BOOST_TEST((client_context().verify_mode() == verify::required));
  BOOST_TEST((server_context().verify_mode() == verify::none));
}

BOOST_AUTO_TEST_CASE(truncation_stays_visible_and_buffers_do_not_stay) {
  for (context const& each : {context(client_context()), context(server_context())}) {
    SSL_CTX* ctx = each.native_handle();
    BOOST_TEST((SSL_CTX_get_options(ctx) & SSL_OP_IGNORE_UNEXPECTED_EOF) == 0u);
    BOOST_TEST((SSL_CTX_get_options(ctx) & SSL_OP_NO_RENEGOTIATION) != 0u);
    BOOST_TEST((SSL_CTX_get_options(ctx) & SSL_OP_NO_COMPRESSION) != 0u);
    BOOST_TEST((SSL_CTX_get_mode(ctx) & SSL_MODE_ENABLE_PARTIAL_WRITE) == 0);
    BOOST_TEST((SSL_CTX_get_mode(ctx) & SSL_MODE_RELEASE_BUFFERS) != 0);
    BOOST_TEST(SSL_CTX_get_read_ahead(ctx) == 1);
    BOOST_TEST((SSL_CTX_get_options(ctx) & SSL_OP_ENABLE_KTLS) == 0u);   // T21
#ifdef SSL_OP_NO_TX_CERTIFICATE_COMPRESSION
    BOOST_TEST((SSL_CTX_get_options(ctx) & SSL_OP_NO_TX_CERTIFICATE_COMPRESSION) != 0u);   // T20
#endif
  }
}

BOOST_AUTO_TEST_CASE(openssl_itself_remembers_no_sessions) {
  BOOST_TEST((SSL_CTX_get_session_cache_mode(server_context().native_handle()) &
              SSL_SESS_CACHE_NO_INTERNAL) == SSL_SESS_CACHE_NO_INTERNAL);
  BOOST_TEST(SSL_CTX_get_session_cache_mode(client_context().native_handle()) ==
             (SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL));
  BOOST_TEST(SSL_CTX_get_session_cache_mode(
                 client_context().set_session_cache(0).native_handle()) == SSL_SESS_CACHE_OFF);
}

BOOST_AUTO_TEST_CASE(no_two_server_contexts_share_their_sessions) {
  auto const id_of = [](server_context const& server) {
    raw_connection both = connect(trusting_client(), server);
    BOOST_REQUIRE(both.handshake());
    unsigned length = 0;
    unsigned char const* id =
        SSL_SESSION_get0_id_context(SSL_get0_session(both.server.get()), &length);
    return std::string(reinterpret_cast<char const*>(id), length);
  };
  server_context const one = serving(first_identity());
  std::string const id = id_of(one);
  BOOST_TEST(id.size() == 32u);
  BOOST_TEST((id_of(one) == id));
  BOOST_TEST((id_of(serving(first_identity())) != id));
}

BOOST_AUTO_TEST_CASE(a_server_sends_one_ticket) {
  BOOST_TEST(SSL_CTX_get_num_tickets(server_context().native_handle()) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(context_protocols)

auto const each_version = data::make({protocol::sslv3, protocol::tls1_0, protocol::tls1_1,
                                      protocol::tls1_2, protocol::tls1_3});

BOOST_DATA_TEST_CASE(a_version_is_spoken_exactly_or_refused_at_once, each_version, version) {
  if (!supported(version)) {
    BOOST_TEST((code_of([&] { client_context made{version}; }) == errc::unsupported_protocol));
    BOOST_TEST((code_of([&] { server_context made{version}; }) == errc::unsupported_protocol));
    return;
  }
  raw_connection both = connect(trusting_client(version), serving(first_identity(), version));
  BOOST_REQUIRE(both.handshake());
  int const expected = version == protocol::sslv3    ? SSL3_VERSION
                       : version == protocol::tls1_0 ? TLS1_VERSION
                       : version == protocol::tls1_1 ? TLS1_1_VERSION
                       : version == protocol::tls1_2 ? TLS1_2_VERSION
                                                     : TLS1_3_VERSION;
  BOOST_TEST(SSL_version(both.client.get()) == expected);
}

BOOST_AUTO_TEST_CASE(sslv2_is_refused_in_words) {
  BOOST_CHECK_EXCEPTION(client_context{protocol::sslv2}, error, [](error const& thrown) {
    return thrown.code() == errc::unsupported_protocol &&
           std::string(thrown.what()).starts_with("making a context for sslv2 failed: ");
  });
}

BOOST_AUTO_TEST_CASE(two_single_versions_do_not_meet) {
  raw_connection both =
      connect(trusting_client(protocol::tls1_2), serving(first_identity(), protocol::tls1_3));
  BOOST_TEST(!both.handshake());
  BOOST_TEST((both.client_code() == alert::protocol_version));
}

BOOST_AUTO_TEST_CASE(secure_does_not_go_below_tls_1_2) {
  if (!supported(protocol::tls1_1)) return;
  BOOST_TEST(!connects(trusting_client(protocol::tls1_1), serving(first_identity())));
  BOOST_TEST(connects(trusting_client(protocol::tls1_2), serving(first_identity())));
}

BOOST_AUTO_TEST_CASE(the_best_of_both_is_chosen) {
  raw_connection both = connect(trusting_client(protocol::sslv2_or_v3),
                                serving(first_identity(), protocol::sslv2_or_v3));
  BOOST_REQUIRE(both.handshake());
  BOOST_TEST(SSL_version(both.client.get()) == TLS1_3_VERSION);
}

BOOST_AUTO_TEST_CASE(a_word_stands_for_a_context_where_one_is_taken) {
  auto const version_of = [](client_context with) {
    raw_connection both = connect(with.set_verify(verify::none), serving(first_identity()));
    BOOST_REQUIRE(both.handshake());
    return SSL_version(both.client.get());
  };
  BOOST_TEST(version_of(protocol::tls1_2) == TLS1_2_VERSION);
  BOOST_TEST(version_of(protocol::sslv2_or_v3) == TLS1_3_VERSION);
  BOOST_TEST((code_of([&] { version_of(protocol::sslv2); }) == errc::unsupported_protocol));
}

BOOST_AUTO_TEST_CASE(tls_is_the_word_for_version_1) {
  BOOST_TEST(protocol::tls == protocol::tls1_0);
  BOOST_TEST(protocol::tls != protocol::tls1_3);
}

BOOST_AUTO_TEST_CASE(each_protocol_has_a_name_of_its_own) {
  BOOST_TEST(to_string(protocol::secure) == "secure");
  BOOST_TEST(to_string(protocol::sslv2_or_v3) == "sslv2_or_v3");
  BOOST_TEST(to_string(protocol::tls1_3) == "tls1_3");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(context_identity)

BOOST_AUTO_TEST_CASE(a_loaded_chain_is_shown_whole_and_in_order) {
  certificate_chain const chain(
      {first_identity().chain().leaf(), second_identity().chain().leaf()});
  server_context const server = server_context().use(chain).use(first_identity().key());
  BOOST_TEST(shown_by(server) == (texts{"CN=first.test", "CN=second.test"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(loading_a_chain_overwrites_the_old_chain) {
  certificate_chain const longer(
      {first_identity().chain().leaf(), second_identity().chain().leaf()});
  server_context server;
  server.use(longer).use(first_identity().key());
  server.use(second_identity().chain()).use(second_identity().key());
  BOOST_TEST(shown_by(server) == (texts{"CN=second.test"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_overwritten_chain_of_another_key_type_is_not_shown_either) {
  auto const rsa_client = [] {
    client_context only = trusting_client();
    SSL_CTX_set1_sigalgs_list(only.native_handle(), "rsa_pss_rsae_sha256");
    return only;
  };
  BOOST_TEST(connects(rsa_client(), serving(rsa_identity())));
  server_context overwritten = serving(rsa_identity());
  overwritten.use(first_identity());
  BOOST_TEST(!connects(rsa_client(), overwritten));
  BOOST_TEST(connects(trusting_client(), overwritten));
}

BOOST_AUTO_TEST_CASE(the_old_chains_key_goes_with_it) {
  server_context server = serving(first_identity());
  server.use(second_identity().chain());
  BOOST_TEST((sealing(server) == errc::no_certificate));
  server.use(first_identity().chain());
  BOOST_TEST((sealing(server) == errc::no_certificate));   // it does not come back either
  server.use(second_identity());
  BOOST_TEST(shown_by(server) == (texts{"CN=second.test"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_key_that_is_the_new_chains_too_stays) {
  server_context server = serving(rsa_identity());
  server.use(certificate_chain({self_signed_for(rsa_key(), "renewed.test")}));
  BOOST_TEST(shown_by(server) == (texts{"CN=renewed.test"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_key_of_another_certificate_is_refused_and_changes_nothing) {
  server_context server = serving(first_identity());
  BOOST_TEST((code_of([&] { server.use(second_identity().key()); }) == errc::key_mismatch));
  BOOST_TEST(shown_by(server) == (texts{"CN=first.test"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_key_may_come_first_and_waits_for_its_own_chain) {
  server_context server = server_context().use(first_identity().key());
  BOOST_TEST((code_of([&] { server.use(second_identity().chain()); }) == errc::key_mismatch));
  server.use(first_identity().chain());
  BOOST_TEST(shown_by(server) == (texts{"CN=first.test"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_server_without_certificate_and_key_cannot_be_used) {
  BOOST_TEST((sealing(server_context()) == errc::no_certificate));
  BOOST_TEST((sealing(server_context().use(first_identity().key())) == errc::no_certificate));
  BOOST_TEST((sealing(server_context().use(first_identity().chain())) == errc::no_certificate));
  BOOST_TEST((sealing(serving(first_identity())) == errc{}));
}

BOOST_AUTO_TEST_CASE(a_client_needs_no_certificate_but_not_half_of_one) {
  BOOST_TEST((sealing(trusting_client()) == errc{}));
  BOOST_TEST((sealing(trusting_client().use(first_identity().chain())) == errc::no_certificate));
  BOOST_TEST((sealing(trusting_client().use(first_identity())) == errc{}));
}

BOOST_AUTO_TEST_CASE(a_key_too_weak_for_the_security_level_is_refused_when_it_is_loaded) {
  private_key const weak = make_rsa_key(1024);
  identity const who(certificate_chain({self_signed_for(weak, "weak.test")}), weak);
  server_context server = serving(first_identity());
  server.set_ciphers("DEFAULT:@SECLEVEL=2");
  BOOST_CHECK_EXCEPTION(server.use(who), error, [](error const& thrown) {
    return thrown.code().category() == openssl_category() &&
           thrown.code().message() == "ee key too small";
  });
  BOOST_TEST(shown_by(server) == (texts{"CN=first.test"}), boost::test_tools::per_element());
  BOOST_CHECK_NO_THROW(server_context().set_ciphers("DEFAULT:@SECLEVEL=0").use(who));
}

BOOST_AUTO_TEST_CASE(chain_and_key_are_loaded_from_files) {
  temporary_directory const directory;
  std::string const chain = directory.write("chain.pem", first_identity().chain().leaf().pem());
  std::string const key = directory.write("key.pem", first_identity().key().pem());
  server_context const server =
      server_context().load_certificate_chain(chain).load_private_key(key);
  BOOST_TEST(shown_by(server) == (texts{"CN=first.test"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::context_test
