// Suites: which there are by default, and which words a list may hold.

#include <cotls/detail/support/access.hpp>

#include "context/context_state.hpp"
#include "engine/seal.hpp"
#include "engine_pair.hpp"
#include "print.hpp"
#include "rsa_identity.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <string>
#include <vector>

namespace cotls::test::cipher_list_test {
namespace {

namespace data = boost::unit_test::data;

std::vector<std::string> const taken{
    "ECDHE+AESGCM", "ECDHE-RSA-AES128-GCM-SHA256", "HIGH:!aNULL:!MD5", "DEFAULT",
    "DEFAULT:@SECLEVEL=0", "DEFAULT:!RC4:-3DES:+SHA", "ALL:!COMPLEMENTOFDEFAULT:!eNULL",
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!aNULL:!MD5:!DSS", "ALL:@STRENGTH",
    "HIGH:!EXPORT:!LOW:!DES:!KRB5:!PSK:!SRP:!CAMELLIA:!IDEA:!SEED", "AES256-SHA, AES128-SHA;HIGH",
    "kRSA+AES:kEECDH:!NULL", "TLSv1.2+HIGH", ":ECDHE+AESGCM:", "SUITEB128", "ALL"};

// A list, and what the error names.
struct refusal {
  char const* list;
  char const* named;
};

std::ostream& operator<<(std::ostream& out, refusal const& each) { return out << each.list; }

std::vector<refusal> const refusals{
    {"ECDHE+AESGCM:NOSUCHSUITE", "\"NOSUCHSUITE\""},
    {"NOSUCHSUITE", "\"NOSUCHSUITE\""},
    {"HIGH:!aNUL", "\"!aNUL\""},            // an exclusion that excludes nothing
    {"HIGH:-SHA11", "\"-SHA11\""},
    {"HIGH:+SHA11", "\"+SHA11\""},
    {"ECDHE+AESGCN:HIGH", "\"ECDHE+AESGCN\""},
    {"HIGH:ECDHE+", "\"ECDHE+\""},
    {"HIGH:default", "\"default\""},
    {"suiteb128:HIGH", "\"suiteb128\""},
#if OPENSSL_VERSION_MAJOR < 4   // from then on it is the word
    {"high", "\"high\""},
#endif
    {"HIGH:!", "\"!\""},
    {"HIGH:DEFAULT", "\"DEFAULT\""},        // it counts at the beginning alone
    {"HIGH:!DEFAULT", "\"!DEFAULT\""},
    {"DEFAULTS:HIGH", "\"DEFAULTS\""},
    {"SUITEB128:HIGH", "\"SUITEB128\""},    // nothing counts behind it
    {"HIGH:TLS_AES_128_GCM_SHA256", "\"TLS_AES_128_GCM_SHA256\""},
    {"HIGH:@SECLEVEL=9", "@SECLEVEL=9"},
    {"HIGH:@NOSUCH", "@NOSUCH"},
    {"ALL:eNULL", "which encrypts nothing"},
    {"NULL-SHA256:HIGH", "\"NULL-SHA256\""},
    {"ALL:eNULL:!aNULL:@SECLEVEL=0", "which encrypts nothing"},
    {"ALL:@SECLEVEL=0", "by which nobody is verified"},
    {"HIGH:ADH-AES256-GCM-SHA384:@SECLEVEL=0", "\"ADH-AES256-GCM-SHA384\""}};

identity const& known() {
  static identity const made = make_self_signed({"known.test"});
  return made;
}

client_context trusting(identity const& who, protocol version = protocol::tls1_2) {
  return client_context(version).add_root(who.chain().leaf());
}

std::vector<SSL_CIPHER const*> suites_of_tls12(context const& of) {
  detail::seal(of);
  std::vector<SSL_CIPHER const*> found;
  SSL_CTX* const sealed = detail::access::state(of)->handle();
  STACK_OF(SSL_CIPHER) const* const all = SSL_CTX_get_ciphers(sealed);
  for (int i = 0; i < sk_SSL_CIPHER_num(all); ++i) {
    SSL_CIPHER const* const suite = sk_SSL_CIPHER_value(all, i);
    if (SSL_CIPHER_get_protocol_id(suite) >> 8 != 0x13) found.push_back(suite);
  }
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cipher_lists)

BOOST_DATA_TEST_CASE(a_list_of_words_that_openssl_knows_is_taken, data::make(taken), list) {
  BOOST_CHECK_NO_THROW(server_context().set_ciphers(list));
  BOOST_CHECK_NO_THROW(client_context().set_ciphers(list));
}

BOOST_DATA_TEST_CASE(a_list_that_does_not_say_what_it_seems_to_is_refused, data::make(refusals),
                     wrong) {
  server_context server = server_context(protocol::tls1_2).use(known());
  server.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384");
  BOOST_CHECK_EXCEPTION(server.set_ciphers(wrong.list), error, [&](error const& thrown) {
    bool const named = std::string(thrown.what()).find(wrong.named) != std::string::npos;
    if (!named) BOOST_TEST_MESSAGE(thrown.what());
    return thrown.code() == errc::invalid_setting && named;
  });
  BOOST_TEST(suites_of_tls12(server).size() == 1u);   // as it was
}

BOOST_AUTO_TEST_CASE(suites_of_tls_1_3_are_checked_word_by_word) {
  for (char const* list : {"TLS_AES_128_GCM_SHA256:NOSUCH", "NOSUCH", "HIGH",
                           "NOSUCH:TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"}) {
    BOOST_CHECK_EXCEPTION(server_context().set_ciphers("", list), error, [](error const& thrown) {
      return thrown.code() == errc::invalid_setting;
    });
  }
  BOOST_CHECK_NO_THROW(
      server_context().set_ciphers("", "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"));
}

BOOST_AUTO_TEST_CASE(by_default_tls_1_2_has_forward_secrecy_and_authenticated_encryption) {
  for (protocol version : {protocol::secure, protocol::tls1_2}) {
    client_context const client(version);
    server_context const server = server_context(version).use(known());
    for (auto const& suites : {suites_of_tls12(client), suites_of_tls12(server)}) {
      BOOST_TEST(suites.size() >= 4u);
      for (SSL_CIPHER const* each : suites) {
        BOOST_TEST_CONTEXT(SSL_CIPHER_get_name(each)) {
          BOOST_TEST(SSL_CIPHER_get_kx_nid(each) == NID_kx_ecdhe);
          BOOST_TEST(SSL_CIPHER_is_aead(each) == 1);
          BOOST_TEST(SSL_CIPHER_get_auth_nid(each) != NID_auth_null);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(old_suites_are_refused_by_default_and_the_error_says_what_admits_them) {
  for (char const* list : {"AES128-GCM-SHA256", "ECDHE-RSA-AES256-SHA384"}) {
    identity const& who = rsa_identity();
    client_context const old = trusting(who).set_ciphers(list).set_verify(verify::none);
    client_options const there = client_options().host("rsa.test");
    engine_pair refused(old, server_context().use(who), there);
    BOOST_TEST(!refused.connect());
    BOOST_TEST(std::string(refused.server.last_error().what()).find("set_ciphers(\"DEFAULT\")") !=
               std::string::npos);
    engine_pair other(client_context(protocol::tls1_2).set_verify(verify::none),
                      server_context().use(who).set_ciphers(list), there);
    BOOST_TEST(!other.connect());
    BOOST_TEST(std::string(other.client.last_error().what()).find("set_ciphers(\"DEFAULT\")") !=
               std::string::npos);
    engine_pair admitted(old, server_context().use(who).set_ciphers("DEFAULT"), there);
    BOOST_TEST(admitted.connect());
    BOOST_TEST(admitted.client.info().suite == list);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::cipher_list_test
