// Certificates: reading and writing them, what they say, and those that are made here.

#include "openssl/openssl_ptr.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "rsa_identity.hpp"
#include "temporary_directory.hpp"

#include <cotls/identity.hpp>
#include <cotls/error.hpp>

#include <boost/test/unit_test.hpp>

#include <openssl/x509_vfy.h>

#include <array>

namespace cotls::test::certificate_test {
namespace {

using namespace std::chrono_literals;
using std::chrono::system_clock;

certificate make(std::vector<std::string> const& names,
                 self_signed_options const& options = self_signed_options()) {
  return make_self_signed(names, options).chain().leaf();
}

certificate const& localhost() {
  static certificate const made = make({"localhost", "127.0.0.1", "::1"});
  return made;
}

certificate const& other() {
  static certificate const made = make({"other.test"});
  return made;
}

bool is(errc code, error const& thrown) { return thrown.code() == code; }

bool no_certificate(error const& thrown) { return is(errc::no_certificate_found, thrown); }

// A certificate between two times, as certificates write them.
certificate valid_between(char const* begin, char const* end) {
  certificate const signed_one = self_signed_for(private_key::generate(), "time.test");
  ASN1_TIME_set_string(X509_getm_notBefore(signed_one.native_handle()), begin);
  ASN1_TIME_set_string(X509_getm_notAfter(signed_one.native_handle()), end);
  return signed_one;
}

// What OpenSSL says of a certificate that is its own only root.
int verify(certificate const& leaf, int purpose) {
  detail::x509_store_ptr const store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), leaf.native_handle());
  detail::x509_store_ctx_ptr const verification(X509_STORE_CTX_new());
  X509_STORE_CTX_init(verification.get(), store.get(), leaf.native_handle(), nullptr);
  X509_STORE_CTX_set_purpose(verification.get(), purpose);
  X509_STORE_CTX_set_flags(verification.get(), X509_V_FLAG_X509_STRICT);
  X509_verify_cert(verification.get());
  return X509_STORE_CTX_get_error(verification.get());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(certificates)

BOOST_AUTO_TEST_CASE(pem_and_der_give_the_same_certificate) {
  certificate const from_pem = certificate::from_pem(localhost().pem());
  certificate const from_der = certificate::from_der(localhost().der());
  BOOST_TEST((from_pem.der() == localhost().der()));
  BOOST_TEST((from_der.der() == localhost().der()));
  BOOST_TEST((other().der() != localhost().der()));
}

BOOST_AUTO_TEST_CASE(the_first_certificate_of_a_text_is_taken) {
  std::string const text = "a comment\n" + rsa_key().pem() + localhost().pem() + other().pem();
  BOOST_TEST((certificate::from_pem(text).der() == localhost().der()));
}

BOOST_AUTO_TEST_CASE(text_without_a_certificate_is_refused) {
  for (std::string const& text :
       {std::string(), std::string("none"), rsa_key().pem(), localhost().pem().substr(0, 200)}) {
    BOOST_CHECK_EXCEPTION(certificate::from_pem(text), error, no_certificate);
    BOOST_CHECK_EXCEPTION(certificate_chain::from_pem(text), error, no_certificate);
  }
}

BOOST_AUTO_TEST_CASE(der_that_is_cut_or_goes_on_is_refused) {
  std::vector<unsigned char> longer = localhost().der();
  longer.push_back(0);
  std::span<unsigned char const> const all(longer);
  BOOST_CHECK_EXCEPTION(certificate::from_der(all), error, no_certificate);
  BOOST_CHECK_EXCEPTION(certificate::from_der(all.first(100)), error, no_certificate);
  BOOST_CHECK_EXCEPTION(certificate::from_der({}), error, no_certificate);
  BOOST_CHECK_NO_THROW(certificate::from_der(all.first(all.size() - 1)));
}

BOOST_AUTO_TEST_CASE(an_encrypted_block_does_not_ask_for_a_password_on_the_terminal) {
  std::string pem = localhost().pem();
  std::string const first_line = "-----BEGIN CERTIFICATE-----\n";
  pem.insert(first_line.size(),
             "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n");
  BOOST_CHECK_EXCEPTION(certificate::from_pem(pem), error, no_certificate);
}

BOOST_AUTO_TEST_CASE(names_are_read_in_their_order) {
  BOOST_TEST(localhost().names() == (std::vector<std::string>{"localhost", "127.0.0.1", "::1"}),
             boost::test_tools::per_element());
  BOOST_TEST(rsa_identity().chain().leaf().names().empty());
}

BOOST_AUTO_TEST_CASE(subject_and_issuer_are_one_line) {
  BOOST_TEST(localhost().subject() == "CN=localhost");
  BOOST_TEST(localhost().issuer() == "CN=localhost");
}

BOOST_AUTO_TEST_CASE(a_subject_keeps_its_letters_and_escapes_what_could_forge_a_line) {
  std::string const name = "Zo\xc3\xab\n[fake]";
  std::string const subject = self_signed_for(private_key::generate(), name).subject();
  BOOST_TEST(subject == "CN=Zo\xc3\xab\\0A[fake]");
}

BOOST_AUTO_TEST_CASE(a_certificate_matches_its_names_and_no_others) {
  BOOST_TEST(localhost().matches("localhost"));
  BOOST_TEST(localhost().matches("LOCALHOST"));
  BOOST_TEST(localhost().matches("localhost."));
  BOOST_TEST(localhost().matches("127.0.0.1"));
  BOOST_TEST(localhost().matches("0:0:0:0:0:0:0:1"));
  for (std::string_view const host :
       {std::string_view("localhost.test"), std::string_view("127.0.0.2"), std::string_view("::2"),
        std::string_view("localhost", 0), std::string_view("."),
        std::string_view("localhost\0.test", 15)}) {
    BOOST_TEST(!localhost().matches(host));
  }
}

BOOST_AUTO_TEST_CASE(an_address_is_not_matched_as_a_name) {
  BOOST_TEST(!make({"one.test"}).matches("127.0.0.1"));
  BOOST_TEST(!self_signed_for(private_key::generate(), "127.0.0.1").matches("127.0.0.1"));
}

BOOST_AUTO_TEST_CASE(a_wildcard_stands_for_one_whole_label) {
  certificate const whole = make({"*.example.org"});
  BOOST_TEST(whole.matches("www.example.org"));
  BOOST_TEST(!whole.matches("a.b.example.org"));
  BOOST_TEST(!whole.matches("example.org"));
  authority const root("root");
  issued const partial = root.issue(certificate_request({"w*.example.org"}));
  BOOST_TEST(!partial.leaf().matches("www.example.org"));
}

BOOST_AUTO_TEST_CASE(validity_is_read_to_the_second) {
  certificate const made = valid_between("20260102030405Z", "20270102030405Z");
  using namespace std::chrono;
  BOOST_TEST((made.not_before() ==
              sys_days(January / 2 / 2026) + 3h + 4min + 5s));
  BOOST_TEST((made.not_after() == sys_days(January / 2 / 2027) + 3h + 4min + 5s));
}

BOOST_AUTO_TEST_CASE(a_certificate_without_an_end_does_not_end_in_the_past) {
  certificate const made = valid_between("15000101000000Z", "99991231235959Z");
  BOOST_TEST((made.not_after() == system_clock::time_point::max()));
  BOOST_TEST((made.not_before() == system_clock::time_point::min()));
}

BOOST_AUTO_TEST_CASE(a_time_that_cannot_be_read_is_the_epoch) {
  certificate const made = self_signed_for(private_key::generate(), "time.test");
  ASN1_STRING_set(X509_getm_notAfter(made.native_handle()), "soon", 4);
  BOOST_TEST((made.not_after() == system_clock::time_point()));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(certificate_chains)

BOOST_AUTO_TEST_CASE(a_chain_keeps_the_order_of_its_text) {
  std::string const text = localhost().pem() + rsa_key().pem() + other().pem();
  certificate_chain const chain = certificate_chain::from_pem(text);
  BOOST_REQUIRE(chain.certificates().size() == 2u);
  BOOST_TEST((chain.leaf().der() == localhost().der()));
  BOOST_TEST((chain.certificates().back().der() == other().der()));
}

BOOST_AUTO_TEST_CASE(a_damaged_certificate_does_not_pass_for_the_chains_end) {
  std::string damaged = other().pem();
  damaged.replace(60, 1, "!");
  BOOST_CHECK_EXCEPTION(certificate_chain::from_pem(localhost().pem() + damaged), error,
                        [](error const& thrown) {
                          return no_certificate(thrown) && !thrown.openssl_stack().empty();
                        });
  BOOST_CHECK_NO_THROW(certificate_chain::from_pem(localhost().pem() + "what follows\n"));
}

BOOST_AUTO_TEST_CASE(a_chain_is_never_empty) {
  BOOST_CHECK_EXCEPTION(certificate_chain(std::vector<certificate>()), error, no_certificate);
}

BOOST_AUTO_TEST_CASE(a_chains_file_is_read_like_its_text) {
  temporary_directory const directory;
  std::string const path = directory.write("chain.pem", localhost().pem() + other().pem());
  BOOST_TEST(certificate_chain::from_pem_file(path).certificates().size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_chains_file_that_cannot_be_read_keeps_the_systems_error_and_its_path) {
  temporary_directory const directory;
  std::filesystem::path const missing = directory.path() / "none.pem";
  BOOST_CHECK_EXCEPTION(
      certificate_chain::from_pem_file(missing), error, [&](error const& thrown) {
        return thrown.code() == boost::system::errc::no_such_file_or_directory &&
               std::string(thrown.what()) == "loading the certificate chain " + missing.string() +
                                                 " failed: No such file or directory [system: 2]";
      });
  std::string const empty = directory.write("empty.pem", "");
  BOOST_CHECK_EXCEPTION(certificate_chain::from_pem_file(empty), error, no_certificate);
}

BOOST_AUTO_TEST_CASE(a_bundles_lines_may_end_as_on_windows) {
  std::string const bundle = "Bag Attributes\n" + rsa_key().pem() + localhost().pem() +
                             "subject=other\n" + other().pem();
  std::string text;
  for (char each : bundle) text += each == '\n' ? std::string("\r\n") : std::string(1, each);
  BOOST_TEST(certificate_chain::from_pem(text).certificates().size() == 2u);
  BOOST_CHECK_NO_THROW(private_key::from_memory(text));
}

BOOST_AUTO_TEST_CASE(a_chain_in_der_is_one_certificate_behind_the_other) {
  std::vector<unsigned char> bytes = localhost().der();
  BOOST_TEST(certificate_chain::from_der(bytes).certificates().size() == 1u);
  std::vector<unsigned char> const second = other().der();
  bytes.insert(bytes.end(), second.begin(), second.end());
  temporary_directory const directory;
  std::string const path = directory.write("chain.der", std::string(bytes.begin(), bytes.end()));
  for (certificate_chain const& chain :
       {certificate_chain::from_der(bytes), certificate_chain::from_der_file(path)}) {
    BOOST_REQUIRE(chain.certificates().size() == 2u);
    BOOST_TEST((chain.leaf().der() == localhost().der()));
    BOOST_TEST((chain.certificates().back().der() == second));
  }
}

BOOST_AUTO_TEST_CASE(a_chain_in_der_that_is_cut_or_goes_on_is_refused) {
  std::vector<unsigned char> bytes = localhost().der();
  std::size_t const first = bytes.size();
  std::vector<unsigned char> const second = other().der();
  bytes.insert(bytes.end(), second.begin(), second.end());
  bytes.push_back(0);
  std::span<unsigned char const> const all(bytes);
  for (std::size_t const size : {std::size_t(0), first - 1, first + 1, all.size() - 2, all.size()}) {
    BOOST_CHECK_EXCEPTION(certificate_chain::from_der(all.first(size)), error, no_certificate);
  }
  BOOST_CHECK_NO_THROW(certificate_chain::from_der(all.first(all.size() - 1)));
}

BOOST_AUTO_TEST_CASE(an_identity_takes_the_key_of_its_certificate_only) {
  BOOST_CHECK_NO_THROW(identity(rsa_identity().chain(), rsa_key()));
  BOOST_CHECK_EXCEPTION(
      identity(rsa_identity().chain(), private_key::generate()), error,
      [](error const& thrown) { return is(errc::key_mismatch, thrown); });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(self_signed)

BOOST_AUTO_TEST_CASE(it_is_trusted_as_its_own_root_by_both_ends) {
  BOOST_TEST(verify(localhost(), X509_PURPOSE_SSL_SERVER) == X509_V_OK);
  BOOST_TEST(verify(localhost(), X509_PURPOSE_SSL_CLIENT) == X509_V_OK);
}

BOOST_AUTO_TEST_CASE(it_vouches_for_nobody_else) {
  BOOST_TEST(X509_check_ca(localhost().native_handle()) == 0);
}

BOOST_AUTO_TEST_CASE(it_is_valid_for_as_long_as_asked) {
  auto const now = system_clock::now();
  certificate const usual = make({"a"});
  BOOST_TEST((usual.not_before() < now && now < usual.not_after()));
  certificate const expired = make({"a"}, self_signed_options().valid(-2h, -1h));
  BOOST_TEST((expired.not_after() < now));
  BOOST_TEST((expired.not_after() - expired.not_before() == 1h));
  BOOST_TEST(verify(expired, X509_PURPOSE_SSL_SERVER) == X509_V_ERR_CERT_HAS_EXPIRED);
  certificate const early = make({"a"}, self_signed_options().valid(1h, 2h));
  BOOST_TEST(verify(early, X509_PURPOSE_SSL_SERVER) == X509_V_ERR_CERT_NOT_YET_VALID);
}

BOOST_AUTO_TEST_CASE(it_may_be_valid_for_longer_than_a_clock_can_say) {
  for (std::chrono::seconds const until :
       {std::chrono::seconds(24h * 365 * 1000), std::chrono::seconds::max()}) {
    certificate const made = make({"a"}, self_signed_options().valid(-1h, until));
    BOOST_TEST((made.not_after() == system_clock::time_point::max()));
    BOOST_TEST(verify(made, X509_PURPOSE_SSL_SERVER) == X509_V_OK);
  }
}

BOOST_AUTO_TEST_CASE(no_two_have_the_same_serial_number) {
  certificate const one = make({"a"});
  certificate const another = make({"a"});
  BOOST_TEST(ASN1_INTEGER_cmp(X509_get0_serialNumber(one.native_handle()),
                              X509_get0_serialNumber(another.native_handle())) != 0);
}

BOOST_AUTO_TEST_CASE(a_name_too_long_for_the_subject_is_whole_among_the_names) {
  std::string const name = std::string(60, 'a') + "." + std::string(60, 'b') + ".test";
  certificate const made = make({name});
  BOOST_TEST(made.matches(name));
  BOOST_TEST(made.subject() == "CN=" + name.substr(0, 64));
}

BOOST_AUTO_TEST_CASE(a_name_may_end_with_the_dot_of_the_root) {
  certificate const made = make({"root.test.", "*.root.test."});
  BOOST_TEST(made.subject() == "CN=root.test");
  for (char const* host : {"root.test", "root.test.", "www.root.test."}) {
    BOOST_TEST(made.matches(host));
  }
}

BOOST_AUTO_TEST_CASE(a_name_cannot_smuggle_in_another) {
  BOOST_CHECK_EXCEPTION(make({"a,DNS:b.test"}), error, [](error const& thrown) {
    return is(errc::invalid_host_name, thrown);
  });
}

BOOST_AUTO_TEST_CASE(names_that_no_client_could_verify_are_refused) {
  using names = std::vector<std::string>;
  for (names const& each : {names{}, names{""}, names{"a", ""}, names{std::string(254, 'a')},
                            names{std::string("a\0b", 3)}, names{"z\xc3\xb6"}, names{"a b"},
                            names{"010.0.0.1"}, names{"fe80::1%1"}, names{"-a"}, names{"*"},
                            names{"*."}, names{"w*.a"}, names{"a.*"}, names{"*.*.a"}}) {
    BOOST_CHECK_EXCEPTION(make_self_signed(each), error, [](error const& thrown) {
      return is(errc::invalid_host_name, thrown);
    });
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::certificate_test
