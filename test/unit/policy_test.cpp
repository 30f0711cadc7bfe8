// Versions, suites, groups, signatures, their order and strength: by name, and one by one.

#include "effective.hpp"
#include "print.hpp"
#include "rsa_identity.hpp"

#include <cotls/context.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <string>
#include <vector>

namespace cotls::test::policy_test {
namespace {

namespace data = boost::unit_test::data;
using boost::test_tools::per_element;

constexpr bool has_post_quantum = OPENSSL_VERSION_NUMBER >= 0x3050'0000L;

identity const& known() {
  static identity const made = make_self_signed({"known.test"});
  return made;
}

// Takes any certificate: what is tested is another setting.
client_context any_client(protocol versions = protocol::secure) {
  return client_context(versions).set_verify(verify::none);
}

server_context serving(identity const& who = known()) { return server_context().use(who); }

texts const suites_of_tls13{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                            "TLS_CHACHA20_POLY1305_SHA256"};

texts const modern_suites_of_tls12{
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"};

texts const old_suites{
    "DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384",
    "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA", "DHE-RSA-AES128-SHA256",
    "DHE-RSA-AES256-SHA256", "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA256",
    "AES256-SHA256", "AES128-SHA", "AES256-SHA"};

texts joined(std::vector<texts> const& parts) {
  texts all;
  for (texts const& each : parts) all.insert(all.end(), each.begin(), each.end());
  return all;
}

texts policy_groups() {
  texts const usual{"X25519", "prime256v1", "secp384r1"};
  return has_post_quantum ? joined({{"X25519MLKEM768"}, usual}) : usual;
}

struct expectation {
  policy named;
  int lowest;
  texts suites;
  bool server_order;
  int level;   // -1: the system's
};

std::ostream& operator<<(std::ostream& out, expectation const& each) {
  return out << to_string(each.named);
}

std::vector<expectation> const expectations{
    {policy::modern, TLS1_3_VERSION, suites_of_tls13, false, -1},
    {policy::intermediate, TLS1_2_VERSION, joined({suites_of_tls13, modern_suites_of_tls12}), false,
     -1},
    {policy::compatible, TLS1_VERSION,
     joined({suites_of_tls13, modern_suites_of_tls12, old_suites}), true, 0}};

int system_level() {
  detail::ssl_ctx_ptr const fresh(SSL_CTX_new(TLS_method()));
  return SSL_CTX_get_security_level(fresh.get());
}

void compare(context const& of, expectation const& expected) {
  SSL_CTX* const context = sealed(of);
  BOOST_TEST(SSL_CTX_get_min_proto_version(context) == expected.lowest);
  BOOST_TEST(SSL_CTX_get_max_proto_version(context) == TLS1_3_VERSION);
  BOOST_TEST(effective_suites(of) == expected.suites, per_element());
  BOOST_TEST(SSL_CTX_get_security_level(context) ==
             (expected.level < 0 ? system_level() : expected.level));
}

// What a server with these suites, in this order, chooses of what a client offers.
std::string chosen(suite_order whose, std::string const& offered) {
  server_context const server =
      serving()
          .set_versions(protocol_version::tls1_2, protocol_version::tls1_2)
          .set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:"
                       "ECDHE-ECDSA-CHACHA20-POLY1305")
          .set_suite_order(whose);
  // One that speaks TLS 1.3 has the suites of that at the top.
  client_context const client = any_client(protocol::tls1_2).set_ciphers(offered);
  raw_connection both(sealed(client), sealed(server));
  BOOST_TEST(both.handshake());
  return SSL_get_cipher_name(both.client.get());
}

identity const& weak_identity() {
  static private_key const key = make_rsa_key(1024);
  static identity const made(certificate_chain({self_signed_for(key, "weak.test")}), key);
  return made;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(policies)

BOOST_DATA_TEST_CASE(a_policy_is_what_the_guide_says_at_both_ends, data::make(expectations),
                     expected) {
  client_context const client = any_client().set_policy(expected.named);
  server_context const server = serving().set_policy(expected.named);
  compare(client, expected);
  compare(server, expected);
  BOOST_TEST(offered_groups(client, server) == policy_groups(), per_element());
  bool const server_order =
      (SSL_CTX_get_options(sealed(server)) & SSL_OP_CIPHER_SERVER_PREFERENCE) != 0;
  BOOST_TEST(server_order == expected.server_order);
  BOOST_TEST((SSL_CTX_get_options(sealed(server)) & SSL_OP_PRIORITIZE_CHACHA) == 0u);
  BOOST_TEST(connects(client, server));
}

BOOST_DATA_TEST_CASE(a_server_of_a_policy_takes_its_groups_and_no_others, data::make(expectations),
                     expected) {
  server_context const server = serving().set_policy(expected.named);
  for (char const* group : {"X25519", "P-256", "P-384"}) {
    BOOST_TEST(connects(any_client(protocol::tls1_3).set_groups(group), server));
  }
  for (char const* group : {"P-521", "X448", "ffdhe2048"}) {
    BOOST_TEST(!connects(any_client(protocol::tls1_3).set_groups(group), server));
  }
}

BOOST_AUTO_TEST_CASE(no_policy_has_suites_that_encrypt_nothing_or_verify_nobody) {
  for (expectation const& each : expectations) {
    server_context const server = serving().set_policy(each.named);
    STACK_OF(SSL_CIPHER) const* const all = SSL_CTX_get_ciphers(sealed(server));
    for (int i = 0; i < sk_SSL_CIPHER_num(all); ++i) {
      SSL_CIPHER const* const suite = sk_SSL_CIPHER_value(all, i);
      BOOST_TEST(SSL_CIPHER_get_bits(suite, nullptr) >= 128);
      BOOST_TEST(SSL_CIPHER_get_auth_nid(suite) != NID_auth_null);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_policies_meet_where_their_versions_do) {
  server_context const modern = serving().set_policy(policy::modern);
  server_context const intermediate = serving().set_policy(policy::intermediate);
  client_context const of_tls12 = any_client(protocol::tls1_2);
  BOOST_TEST(!connects(of_tls12, modern));
  BOOST_TEST(connects(of_tls12, intermediate));
  client_context const of_tls10 =
      any_client().set_policy(policy::compatible).set_versions(protocol_version::tls1_0,
                                                               protocol_version::tls1_0);
  BOOST_TEST(!connects(of_tls10, intermediate));
  BOOST_TEST(connects(of_tls10, serving().set_policy(policy::compatible)));
}

BOOST_AUTO_TEST_CASE(a_compatible_server_exchanges_keys_over_finite_fields) {
  client_context const client =
      any_client(protocol::tls1_2).set_ciphers("DHE-RSA-AES128-GCM-SHA256");
  BOOST_TEST(connects(client, serving(rsa_identity()).set_policy(policy::compatible)));
  BOOST_TEST(!connects(client, serving(rsa_identity()).set_policy(policy::intermediate)));
}

BOOST_AUTO_TEST_CASE(a_compatible_client_verifies_certificates_at_the_systems_level) {
  if (system_level() < 1) return;   // which takes any key
  server_context const server = server_context().set_security_level(0).use(weak_identity());
  certificate const root = weak_identity().chain().leaf();
  client_context const lowered = client_context().set_security_level(0).add_root(root);
  BOOST_TEST(connects(lowered, server));
  client_context const compatible =
      client_context().set_policy(policy::compatible).set_policy(policy::compatible).add_root(root);
  raw_connection both(sealed(compatible), sealed(server));
  BOOST_TEST(!both.handshake());
  BOOST_TEST(SSL_get_verify_result(both.client.get()) == X509_V_ERR_EE_KEY_TOO_SMALL);
}

BOOST_AUTO_TEST_CASE(a_policy_replaces_what_was_set_before_and_gives_way_to_what_comes_after) {
  client_context const last = any_client()
                                  .set_versions(protocol_version::tls1_2, protocol_version::tls1_2)
                                  .set_groups("P-521")
                                  .set_policy(policy::compatible)
                                  .set_policy(policy::modern);
  compare(last, expectations.front());
  BOOST_TEST(offered_groups(last, serving()) == policy_groups(), per_element());
  client_context const first = any_client()
                                   .set_policy(policy::modern)
                                   .set_versions(protocol_version::tls1_2)
                                   .set_groups("P-256");
  BOOST_TEST(SSL_CTX_get_min_proto_version(sealed(first)) == TLS1_2_VERSION);
  BOOST_TEST(offered_groups(first, serving()) == texts{"prime256v1"}, per_element());
}

BOOST_AUTO_TEST_CASE(policies_and_versions_have_names) {
  BOOST_TEST(to_string(policy::intermediate) == "intermediate");
  BOOST_TEST(to_string(static_cast<policy>(9)) == "unknown");
  BOOST_TEST(to_string(protocol_version::tls1_0) == "tls1_0");
  BOOST_TEST(to_string(protocol_version::tls1_3) == "tls1_3");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(versions)

BOOST_AUTO_TEST_CASE(a_range_has_both_its_ends_and_nothing_beyond) {
  server_context const range =
      serving().set_versions(protocol_version::tls1_2, protocol_version::tls1_2);
  BOOST_TEST(connects(any_client(protocol::tls1_2), range));
  BOOST_TEST(!connects(any_client(protocol::tls1_3), range));
  server_context const both =
      server_context(protocol::tls1_3).use(known()).set_versions(protocol_version::tls1_2);
  BOOST_TEST(connects(any_client(protocol::tls1_2), both));
  BOOST_TEST(connects(any_client(protocol::tls1_3), both));
}

BOOST_AUTO_TEST_CASE(an_empty_range_is_refused_and_changes_nothing) {
  server_context server = serving();
  error const refused = failure_of(
      [&] { server.set_versions(protocol_version::tls1_3, protocol_version::tls1_2); });
  BOOST_TEST(refused.code() == errc::invalid_setting);
  BOOST_TEST(says(refused, "tls1_3 to tls1_2"));
  BOOST_TEST(connects(any_client(protocol::tls1_2), server));
  BOOST_TEST(connects(any_client(protocol::tls1_3), server));
}

BOOST_AUTO_TEST_CASE(versions_that_the_security_level_forbids_are_refused_at_the_first_use) {
  client_context client =
      any_client().set_security_level(1).set_versions(protocol_version::tls1_0,
                                                      protocol_version::tls1_1);
  error const refused = failure_of([&] { sealed(client); });
  BOOST_TEST(refused.code() == errc::invalid_setting);
  BOOST_TEST(says(refused, "set_security_level(0)"));
  client.set_security_level(0);
  BOOST_CHECK_NO_THROW(sealed(client));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(name_lists)

BOOST_AUTO_TEST_CASE(a_group_that_is_not_known_is_named) {
  server_context const server = serving();
  client_context client = any_client().set_groups("P-384");
  for (char const* list : {"X25519:NOSUCH", "NOSUCH", "NOSUCH:X25519", "X25519:NOSUCH:P-256"}) {
    error const refused = failure_of([&] { client.set_groups(list); });
    BOOST_TEST(refused.code() == errc::invalid_setting);
    BOOST_TEST(says(refused, "setting the group \"NOSUCH\""));
  }
  for (char const* list : {"", ":", "X25519:", "?", "X25519::P-256"}) {
    BOOST_TEST(says(failure_of([&] { client.set_groups(list); }), "setting the group \""));
  }
  BOOST_TEST(offered_groups(client, server) == texts{"secp384r1"}, per_element());
}

BOOST_AUTO_TEST_CASE(an_optional_group_may_be_missing_but_not_all_of_them) {
  server_context const server = serving();
  client_context client = any_client().set_groups("?NOSUCH:X25519:?NOSUCH2:?P-256");
  error const refused = failure_of([&] { client.set_groups("?NOSUCH:?NOSUCH2"); });
  BOOST_TEST(refused.code() == errc::invalid_setting);
  BOOST_TEST(says(refused, "\"?NOSUCH:?NOSUCH2\", none of which there is"));
  BOOST_TEST(offered_groups(client, server) == (texts{"X25519", "prime256v1"}), per_element());
}

BOOST_AUTO_TEST_CASE(a_post_quantum_group_is_refused_by_name_where_openssl_has_none) {
  client_context client = any_client();
  BOOST_CHECK_NO_THROW(client.set_groups("?X25519MLKEM768:X25519"));
  if (has_post_quantum) {
    BOOST_CHECK_NO_THROW(client.set_groups("X25519MLKEM768:X25519"));
    BOOST_CHECK_NO_THROW(client.set_groups("*X25519MLKEM768/*X25519:?P-256"));
  } else {
    error const refused = failure_of([&] { client.set_groups("X25519MLKEM768:X25519"); });
    BOOST_TEST(says(refused, "\"X25519MLKEM768\""));
    BOOST_CHECK_THROW(client.set_groups("P-256/X25519"), error);
  }
}

BOOST_AUTO_TEST_CASE(signature_algorithms_are_checked_word_by_word) {
  client_context client = any_client();
  error const refused =
      failure_of([&] { client.set_signature_algorithms("ECDSA+SHA256:nosuch_sha256"); });
  BOOST_TEST(refused.code() == errc::invalid_setting);
  BOOST_TEST(says(refused, "setting the signature algorithm \"nosuch_sha256\""));
  BOOST_TEST(says(failure_of([&] { client.set_client_signature_algorithms("nosuch"); }),
                  "\"nosuch\""));
  BOOST_TEST(says(failure_of([&] { client.set_signature_algorithms("?nosuch"); }),
                  "none of which"));
  BOOST_CHECK_NO_THROW(client.set_signature_algorithms("?nosuch:ed25519:RSA-PSS+SHA256"));
}

BOOST_AUTO_TEST_CASE(a_server_must_sign_with_what_its_client_takes) {
  for (protocol version : {protocol::tls1_2, protocol::tls1_3}) {
    client_context const ecdsa = any_client(version).set_signature_algorithms("ECDSA+SHA256");
    client_context const rsa =
        any_client(version).set_signature_algorithms("rsa_pss_rsae_sha256");
    BOOST_TEST(connects(ecdsa, serving()));
    BOOST_TEST(!connects(rsa, serving()));
    BOOST_TEST(connects(rsa, serving(rsa_identity())));
    BOOST_TEST(!connects(any_client(version),
                         serving().set_signature_algorithms("rsa_pss_rsae_sha256")));
  }
}

BOOST_AUTO_TEST_CASE(clients_sign_with_what_the_server_takes_of_them) {
  certificate const root = known().chain().leaf();
  server_context const verifying = serving().set_verify(verify::required).add_root(root);
  auto const asking = [&](char const* list) {
    return serving().set_verify(verify::required).add_root(root).set_client_signature_algorithms(
        list);
  };
  client_context const client = any_client().use(known());
  BOOST_TEST(connects(client, verifying));
  BOOST_TEST(connects(client, asking("ECDSA+SHA256")));
  BOOST_TEST(!connects(client, asking("rsa_pss_rsae_sha256")));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(strength)

BOOST_AUTO_TEST_CASE(a_level_that_is_none_is_refused) {
  int const system = system_level();
  client_context client = any_client();
  for (int level : {-1, 6}) {
    BOOST_TEST(failure_of([&] { client.set_security_level(level); }).code() ==
               errc::invalid_setting);
  }
  BOOST_TEST(SSL_CTX_get_security_level(sealed(client)) == system);
}

BOOST_AUTO_TEST_CASE(a_level_counts_for_keys_that_are_shown_before_and_after) {
  server_context late = serving(rsa_identity()).set_security_level(3);
  BOOST_CHECK_THROW(sealed(late), error);
  BOOST_CHECK_THROW(server_context().set_security_level(3).use(rsa_identity()), error);
  BOOST_CHECK_NO_THROW(sealed(serving(rsa_identity()).set_security_level(2)));
  BOOST_CHECK_NO_THROW(server_context().set_security_level(2).use(rsa_identity()));
}

BOOST_AUTO_TEST_CASE(a_level_counts_for_the_peers_keys) {
  server_context const server = serving(rsa_identity());
  certificate const root = rsa_identity().chain().leaf();
  BOOST_TEST(connects(client_context().add_root(root).set_security_level(2), server));
  BOOST_TEST(!connects(client_context().add_root(root).set_security_level(3), server));
}

BOOST_AUTO_TEST_CASE(level_0_is_refused_where_nobody_would_be_verified) {
  client_context client = any_client().set_security_level(1).set_ciphers("ALL");
  error const refused = failure_of([&] { client.set_security_level(0); });
  BOOST_TEST(refused.code() == errc::invalid_setting);
  BOOST_TEST(says(refused, "by which nobody is verified"));
  BOOST_CHECK_NO_THROW(client.set_ciphers("ALL:!aNULL").set_security_level(0));
  client_context lent = any_client().set_security_level(1);
  SSL_CTX_set_cipher_list(lent.native_handle(), "ALL");
  BOOST_CHECK_THROW(lent.set_security_level(0), error);
}

BOOST_AUTO_TEST_CASE(the_level_is_what_was_said_last_of_it) {
  client_context const by_list = any_client().set_security_level(3).set_ciphers(
      "DEFAULT:@SECLEVEL=1");
  BOOST_TEST(SSL_CTX_get_security_level(sealed(by_list)) == 1);
  client_context const by_call = any_client().set_ciphers("DEFAULT:@SECLEVEL=1").set_security_level(
      3);
  BOOST_TEST(SSL_CTX_get_security_level(sealed(by_call)) == 3);
  client_context const by_call_alone = any_client().set_security_level(3).set_ciphers("DEFAULT");
  BOOST_TEST(SSL_CTX_get_security_level(sealed(by_call_alone)) == 3);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(preference)

BOOST_AUTO_TEST_CASE(the_order_is_the_servers_or_the_clients_as_it_is_set) {
  std::string const aes128_first = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384";
  BOOST_TEST(chosen(suite_order::server, aes128_first) == "ECDHE-ECDSA-AES256-GCM-SHA384");
  BOOST_TEST(chosen(suite_order::server_but_chacha, aes128_first) ==
             "ECDHE-ECDSA-AES256-GCM-SHA384");
  BOOST_TEST(chosen(suite_order::client, aes128_first) == "ECDHE-ECDSA-AES128-GCM-SHA256");
}

BOOST_AUTO_TEST_CASE(a_client_that_prefers_chacha_gets_it_by_default) {
  std::string const chacha_first = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384";
  BOOST_TEST(chosen(suite_order::server, chacha_first) == "ECDHE-ECDSA-AES256-GCM-SHA384");
  BOOST_TEST(chosen(suite_order::server_but_chacha, chacha_first) ==
             "ECDHE-ECDSA-CHACHA20-POLY1305");
  constexpr std::uint64_t both = SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
  BOOST_TEST((SSL_CTX_get_options(sealed(serving())) & both) == both);
}

BOOST_AUTO_TEST_CASE(keys_are_exchanged_over_finite_fields_only_when_that_is_on) {
  client_context const client =
      any_client(protocol::tls1_2).set_ciphers("DHE-RSA-AES128-GCM-SHA256");
  auto const listing = [] { return serving(rsa_identity()).set_ciphers("DHE+AESGCM"); };
  BOOST_TEST(connects(client, listing().set_dh_auto()));
  BOOST_TEST(!connects(client, listing()));
  BOOST_TEST(!connects(client, listing().set_dh_auto().set_dh_auto(false)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::policy_test
