// OpenSSL's own commands and sections, and contexts whose algorithms are from elsewhere.

#include "effective.hpp"
#include "engine_pair.hpp"
#include "print.hpp"
#include "rsa_identity.hpp"
#include "temporary_directory.hpp"

#include <cotls/context.hpp>

#include <boost/test/unit_test.hpp>

#include <openssl/conf.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace cotls::test::configure_test {
namespace {

using boost::test_tools::per_element;

identity const& known() {
  static identity const made = make_self_signed({"known.test"});
  return made;
}

client_context any_client() { return client_context().set_verify(verify::none); }
server_context serving() { return server_context().use(known()); }

// A file's sections of TLS settings, for as long as it lives; then the system's own again.
class configuration_file {
 public:
  explicit configuration_file(std::string_view contents) {
    std::string const path = directory_.write("openssl.cnf", contents);
    BOOST_REQUIRE(CONF_modules_load_file(path.c_str(), nullptr, 0) == 1);
  }
  ~configuration_file() {
    CONF_modules_load_file(nullptr, nullptr,
                           CONF_MFLAGS_DEFAULT_SECTION | CONF_MFLAGS_IGNORE_MISSING_FILE);
  }
  configuration_file(configuration_file const&) = delete;
  configuration_file& operator=(configuration_file const&) = delete;

 private:
  temporary_directory directory_;
};

// A library context, with the algorithms of one provider.
class own_library {
 public:
  explicit own_library(char const* provider)
      : library_(OSSL_LIB_CTX_new()), provider_(OSSL_PROVIDER_load(library_.get(), provider)) {
    BOOST_REQUIRE(provider_ != nullptr);
  }
  ~own_library() { OSSL_PROVIDER_unload(provider_); }
  own_library(own_library const&) = delete;
  own_library& operator=(own_library const&) = delete;

  library_options options() const { return library_options().library(library_.get()); }

 private:
  std::unique_ptr<OSSL_LIB_CTX, detail::openssl_deleter<OSSL_LIB_CTX_free>> library_;
  OSSL_PROVIDER* provider_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(commands)

BOOST_AUTO_TEST_CASE(each_line_is_a_command_that_is_carried_out) {
  client_context const client = any_client().configure(
      "# what the administrator wants\n"
      "MinProtocol = TLSv1.3\r\n"
      "\n"
      "  ciphersuites=TLS_AES_256_GCM_SHA384   # no other\n"
      "Groups = ?NOSUCH:P-384");
  BOOST_TEST(SSL_CTX_get_min_proto_version(sealed(client)) == TLS1_3_VERSION);
  BOOST_TEST(effective_suites(client) == texts{"TLS_AES_256_GCM_SHA384"}, per_element());
  BOOST_TEST(offered_groups(client, serving()) == texts{"secp384r1"}, per_element());
}

BOOST_AUTO_TEST_CASE(what_is_not_understood_is_named_and_nothing_is_done) {
  for (auto const& [line, named] : std::vector<std::pair<std::string, std::string>>{
           {"NoSuchCommand = 1", "NoSuchCommand"},
           {"MinProtocol = TLSv9", "MinProtocol = TLSv9"},
           {"CipherString = HIGH:NOSUCH", "\"NOSUCH\""},
           {"CipherString = ALL:@SECLEVEL=0", "by which nobody is verified"},
           {"Ciphersuites = TLS_AES_128_GCM_SHA256:NOSUCH", "\"NOSUCH\""},
           {"Curves = X25519:NOSUCH", "\"NOSUCH\""},
           {"SignatureAlgorithms = nosuch", "\"nosuch\""},
           {"Certificate = chain.pem", "a command that there is not"},
           {"VerifyMode = Request", "VerifyMode = Request"},   // a server's
           {"MaxProtocol", "the line \"MaxProtocol\""},
           {"= TLSv1.3", "the line \"= TLSv1.3\""},
           {"MaxProtocol =", "the line \"MaxProtocol =\""}}) {
    BOOST_TEST_CONTEXT(line) {
      client_context client = any_client();
      long const lowest = SSL_CTX_get_min_proto_version(client.native_handle());
      error const refused =
          failure_of([&] { client.configure("MinProtocol = TLSv1.3\n" + line); });
      BOOST_TEST(refused.code() == errc::invalid_setting);
      BOOST_TEST(says(refused, named));
      BOOST_TEST(SSL_CTX_get_min_proto_version(sealed(client)) == lowest);
    }
  }
}

BOOST_AUTO_TEST_CASE(commands_come_on_top_of_what_was_set_and_beneath_what_is_set_later) {
  client_context const client = any_client()
                                    .set_versions(protocol_version::tls1_2)
                                    .set_groups("P-256")
                                    .configure("MinProtocol = TLSv1.3\nGroups = P-384")
                                    .set_groups("P-521");
  BOOST_TEST(SSL_CTX_get_min_proto_version(sealed(client)) == TLS1_3_VERSION);
  BOOST_TEST(offered_groups(client, serving()) == texts{"secp521r1"}, per_element());
}

BOOST_AUTO_TEST_CASE(what_a_server_must_have_is_asked_whoever_has_said_so) {
  server_context server = serving().configure("VerifyMode = Require");
  BOOST_TEST((server.verify_mode() == verify::required));
  BOOST_TEST(failure_of([&] { sealed(server); }).code() == errc::no_roots);
}

BOOST_AUTO_TEST_CASE(a_sealed_context_takes_no_commands) {
  client_context client = any_client();
  sealed(client);
  BOOST_TEST(failure_of([&] { client.configure("MinProtocol = TLSv1.3"); }).code() ==
             errc::context_sealed);
  BOOST_TEST(failure_of([&] { client.use_system_policy("system_default"); }).code() ==
             errc::context_sealed);
}

BOOST_AUTO_TEST_CASE(a_section_of_the_systems_policy_is_applied_by_its_name) {
  configuration_file const file(
      "openssl_conf = init\n[init]\nssl_conf = tls\n"
      "[tls]\nstrict = strict_section\nwrong = wrong_section\n"
      "[strict_section]\nMinProtocol = TLSv1.3\nCiphersuites = TLS_AES_256_GCM_SHA384\n"
      "[wrong_section]\nMinProtocol = TLSv1.3\nCiphersuites = NOSUCH\n");
  client_context const client = any_client().use_system_policy("strict");
  BOOST_TEST(SSL_CTX_get_min_proto_version(sealed(client)) == TLS1_3_VERSION);
  BOOST_TEST(effective_suites(client) == texts{"TLS_AES_256_GCM_SHA384"}, per_element());
  for (char const* name : {"nosuch", "wrong"}) {
    client_context other = any_client();
    long const lowest = SSL_CTX_get_min_proto_version(other.native_handle());
    error const refused = failure_of([&] { other.use_system_policy(name); });
    BOOST_TEST(refused.code() == errc::invalid_setting);
    BOOST_TEST(says(refused, '"' + std::string(name) + '"'));
    BOOST_TEST(SSL_CTX_get_min_proto_version(sealed(other)) == lowest);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(libraries)

BOOST_AUTO_TEST_CASE(contexts_of_an_own_library_connect_with_certificates_and_keys_of_any) {
  for (identity const& who : {known(), rsa_identity()}) {
    own_library const own("default");
    std::string const pem = who.chain().leaf().pem();
    server_context const server = server_context(own.options())
                                      .use(who)
                                      .set_verify(verify::required)
                                      .add_roots(pem);
    client_context const client =
        client_context(own.options()).use(who).add_root(certificate::from_pem(pem));
    engine_pair both(client, server, client_options().host("known.test").accept_any_name());
    BOOST_TEST(both.connect());
    BOOST_TEST(both.server.peer().verified());
    BOOST_TEST(connects(any_client(), server_context(own.options()).use(who)));
    BOOST_TEST(connects(client_context(own.options()).set_verify(verify::none),
                        server_context().use(who)));
  }
}

BOOST_AUTO_TEST_CASE(what_is_set_on_a_context_of_an_own_library_is_looked_for_there) {
  own_library const own("default");
  server_context const server = server_context(own.options())
                                    .use(known())
                                    .set_policy(policy::intermediate)
                                    .set_groups("P-384")
                                    .set_ciphers("ECDHE+AESGCM")
                                    .set_signature_algorithms("ECDSA+SHA256");
  BOOST_TEST(connects(any_client(), server));
  BOOST_CHECK_THROW(client_context(own.options()).set_groups("NOSUCH"), error);
}

BOOST_AUTO_TEST_CASE(a_library_without_algorithms_makes_no_context) {
  own_library const empty("null");
  error const refused = failure_of([&] { client_context made(empty.options()); });
  BOOST_TEST(refused.code() == errc::invalid_setting);
  BOOST_TEST(says(refused, "with a library context"));
  BOOST_CHECK_THROW(server_context(empty.options(), protocol::tls1_3), error);
}

BOOST_AUTO_TEST_CASE(properties_that_no_algorithm_has_are_named) {
  library_options const none = library_options().properties("provider=nosuch");
  error const refused = failure_of([&] { server_context made(none); });
  BOOST_TEST(refused.code() == errc::invalid_setting);
  BOOST_TEST(says(refused, "the properties \"provider=nosuch\""));
  BOOST_CHECK_THROW(client_context made(none), error);
  library_options const usual = library_options().properties("provider=default");
  BOOST_TEST(connects(client_context(usual).set_verify(verify::none),
                      server_context(usual).use(known())));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::configure_test
