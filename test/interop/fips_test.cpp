// Contexts whose algorithms are those of OpenSSL's FIPS provider, and no other.

#include "certificates.hpp"
#include "engine_pair.hpp"
#include "failure_of.hpp"
#include "key_elsewhere.hpp"
#include "print.hpp"
#include "served.hpp"
#include "soft_device.hpp"

#include <cotls/blocking.hpp>
#include <cotls/connect.hpp>
#include <cotls/library_options.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace cotls::test::fips_test {
namespace {

certificates const& pki() { return certificates::all(); }

// A library context of which openssl.cnf is made here, by the program that tests the module first.
class fips_library {
 public:
  fips_library() : library_(OSSL_LIB_CTX_new()) {
    process install({"openssl", "fipsinstall", "-quiet", "-module",
                     module_of("fips"), "-out", file("fips.cnf")});
    if (install.wait() != 0) throw std::runtime_error("fipsinstall: " + install.errors());
    std::string const configuration = directory_.write(
        "openssl.cnf", "openssl_conf = all\n.include " + file("fips.cnf") +
                           "\n[all]\nproviders = providers\n[providers]\nfips = fips_sect\n"
                           "base = base\n[base]\nactivate = 1\n");
    if (OSSL_LIB_CTX_load_config(library_.get(), configuration.c_str()) != 1) {
      throw std::runtime_error("the FIPS provider cannot be loaded");
    }
  }

  library_options options() const {
    return library_options().library(library_.get()).properties("fips=yes");
  }

 private:
  std::string file(char const* name) const { return (directory_.path() / name).string(); }

  temporary_directory directory_;
  std::unique_ptr<OSSL_LIB_CTX, detail::openssl_deleter<OSSL_LIB_CTX_free>> library_;
};

library_options validated() {
  static fips_library const* const made = new fips_library;   // outlives every context
  return made->options();
}

server_context serving(entity const& who = pki().localhost) {
  return server_context(validated()).use(who.pem.identity());
}

client_context trusting() {
  return client_context(validated()).add_root(pki().root.certificate());
}

// In this version alone.
client_options to_localhost(version asked) {
  protocol_version const one = asked.name == std::string("TLSv1.2") ? protocol_version::tls1_2
                                                                    : protocol_version::tls1_3;
  return client_options().host("localhost").port(443).versions(one, one);
}

private_key owned(EVP_PKEY* made) {
  detail::pkey_ptr const owner(made);
  return private_key::from_native(made);
}

bool names(error const& thrown, std::string const& text) {
  return thrown.code() == errc::invalid_setting &&
         std::string_view(thrown.what()).find(text) != std::string_view::npos;
}

auto is_installed(boost::unit_test::test_unit_id) { return are_installed("fips", {"openssl"}); }

}  // namespace

BOOST_AUTO_TEST_SUITE(fips, *boost::unit_test::precondition(is_installed))

BOOST_DATA_TEST_CASE(two_ends_speak_with_what_it_has, both_versions, asked) {
  for (entity const* who : {&pki().localhost, &pki().localhost_rsa}) {
    engine_pair pair(trusting(), serving(*who), to_localhost(asked));
    BOOST_TEST(pair.connect());
    std::string const suite = pair.client.info().suite;
    BOOST_TEST(suite.find("AES") != std::string::npos, suite);
    BOOST_TEST(pair.client.info().group != "x25519");
  }
}

BOOST_DATA_TEST_CASE(s_client_verifies_a_server, both_versions, asked) {
  server_thread server(serving(), greet);
  process peer(s_client(server.port(), {asked.option, "-ign_eof"}));
  BOOST_TEST(peer.wait() == 0, peer.errors());
  BOOST_TEST(peer.output() == "good day\n");
}

BOOST_DATA_TEST_CASE(a_client_of_what_it_does_not_have_is_refused, both_versions, asked) {
  server_thread strict(serving(pki().localhost_rsa), greet);
  server_thread usual(certificates::serve(pki().localhost_rsa), greet);
  for (words const& offered :
       {words{"-groups", "X25519"},
        words{"-cipher", "ECDHE-RSA-CHACHA20-POLY1305", "-ciphersuites",
              "TLS_CHACHA20_POLY1305_SHA256"}}) {
    process refused(s_client(strict.port(), words{asked.option, "-ign_eof"} + offered));
    BOOST_TEST(refused.wait() != 0);
    BOOST_TEST(says(refused, "alert handshake failure"), refused.errors());
    BOOST_TEST(strict.next().failure.has_value());
    process welcome(s_client(usual.port(), words{asked.option, "-ign_eof"} + offered));
    BOOST_TEST(welcome.wait() == 0, welcome.errors());
  }
}

BOOST_DATA_TEST_CASE(s_server_takes_a_clients_certificate, both_versions, asked) {
  s_server server({asked.option, "-Verify", "2", "-verify_return_error", "-CAfile",
                   pki().root_file, "-rev"});
  client_context const client = trusting().use(pki().client.pem.identity());
  blocking::stream peer = blocking::connect("127.0.0.1", server.port(), client,
                                            connect_options().verify_host("localhost"));
  BOOST_TEST(peer.info().version == asked.name);
}

BOOST_DATA_TEST_CASE(sessions_are_resumed, both_versions, asked) {
  server_context const server = serving();
  client_context const client = trusting();
  for (bool const resumed : {false, true}) {
    engine_pair pair(client, server, to_localhost(asked));
    BOOST_TEST(pair.connect());
    BOOST_TEST(pair.client.info().resumed == resumed);
  }
}

BOOST_AUTO_TEST_CASE(groups_and_suites_that_it_does_not_have_are_named) {
  server_context context(validated());
  BOOST_TEST(names(failure_of([&] { context.set_groups("P-256:X25519"); }), "X25519"));
  BOOST_TEST(names(failure_of([&] { context.set_ciphers("ECDHE-ECDSA-CHACHA20-POLY1305"); }),
                   "ECDHE-ECDSA-CHACHA20-POLY1305"));
  BOOST_TEST(names(failure_of([&] { context.set_ciphers("", "TLS_CHACHA20_POLY1305_SHA256"); }),
                   "TLS_CHACHA20_POLY1305_SHA256"));
  BOOST_CHECK_NO_THROW(context.set_groups("P-256:?X25519").set_ciphers(
      "ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256"));
}

BOOST_AUTO_TEST_CASE(policies_are_what_it_has_of_them) {
  for (policy const named : {policy::modern, policy::intermediate}) {
    server_context server = serving();
    server.set_policy(named);
    engine_pair pair(trusting(), server, client_options().host("localhost"));
    BOOST_TEST(pair.connect());
  }
}

BOOST_AUTO_TEST_CASE(keys_that_it_does_not_take_are_refused) {
  for (private_key const& key :
       {owned(EVP_EC_gen("secp256k1")), owned(EVP_RSA_gen(1024u))}) {
    identity const both(certificate_chain({self_signed_by(key)}), key);
    server_context strict(validated());
    strict.set_security_level(0);
    BOOST_TEST(names(failure_of([&] { strict.use(both); }), key.kind()));
    server_context usual;
    usual.set_security_level(0);
    BOOST_CHECK_NO_THROW(usual.use(both));
  }
}

BOOST_AUTO_TEST_CASE(a_key_that_signs_elsewhere_is_refused) {
  key_elsewhere const key("P-256");
  server_context context(validated());
  BOOST_TEST(names(failure_of([&] { context.use(key.signed_by(key.messages())); }), ""));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::fips_test
