// Contexts: what each setting means to a connection that OpenSSL makes with it.

#include "context/context_state.hpp"
#include "engine/seal.hpp"
#include "print.hpp"
#include "raw_connection.hpp"
#include "rsa_identity.hpp"
#include "temporary_directory.hpp"

#include <cotls/context.hpp>
#include <cotls/detail/support/access.hpp>
#include <cotls/error.hpp>

#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <thread>

namespace cotls::test::context_test {
namespace {

namespace data = boost::unit_test::data;

identity const& first_identity() {
  static identity const made = make_self_signed({"first.test"});
  return made;
}

identity const& second_identity() {
  static identity const made = make_self_signed({"second.test"});
  return made;
}

SSL_CTX* sealed(context const& of) {
  detail::seal(of);
  return detail::access::state(of)->handle();
}

raw_connection connect(context const& client, context const& server) {
  return {sealed(client), sealed(server)};
}

bool connects(context const& client, context const& server) {
  return connect(client, server).handshake();
}

// Takes any certificate: what is tested is another setting.
client_context trusting_client(protocol versions = protocol::secure) {
  return client_context(versions).set_verify(verify::none);
}

server_context serving(identity const& who, protocol versions = protocol::secure) {
  return server_context(versions).use(who);
}

// The names of the certificates that a server shows.
std::vector<std::string> shown_by(server_context const& server) {
  raw_connection both = connect(trusting_client(), server);
  std::vector<std::string> shown;
  if (!both.handshake()) return shown;
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(both.client.get());
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    shown.push_back(certificate::from_native(sk_X509_value(chain, i)).subject());
  }
  return shown;
}

using texts = std::vector<std::string>;

errc code_of(std::function<void()> const& call) {
  try {
    call();
  } catch (error const& thrown) {
    if (thrown.code().category() != cotls_category()) throw;
    return static_cast<errc>(thrown.code().value());
  }
  return {};
}

errc sealing(context const& of) {
  return code_of([&] { detail::seal(of); });
}

}  // namespace

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
  for (std::size_t const servers : {256u, 0u}) {
    BOOST_TEST(SSL_CTX_get_session_cache_mode(
                   client_context().set_session_cache(servers).native_handle()) ==
               (SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL));
  }
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

}  // namespace cotls::test::context_test
