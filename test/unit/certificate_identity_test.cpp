// Whom a certificate names beside hosts, what pins compare, and what else it carries.

#include "openssl/openssl_ptr.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "rsa_identity.hpp"

#include <cotls/identity.hpp>

#include <boost/test/unit_test.hpp>

#include <openssl/evp.h>

#include <array>
#include <string>
#include <vector>

namespace cotls::test::certificate_identity_test {
namespace {

using strings = std::vector<std::string>;

authority const& root() {
  static authority const made("root");
  return made;
}

certificate with_names(std::string const& names) {
  return root().issue(certificate_request({"a.test"}).alternative_names(names)).leaf();
}

std::string digest_of(std::vector<unsigned char> const& bytes) {
  std::array<unsigned char, 32> digest{};
  std::size_t size = 0;
  EVP_Q_digest(nullptr, "SHA256", nullptr, bytes.data(), bytes.size(), digest.data(), &size);
  std::string text;
  for (unsigned char const byte : digest) {
    char pair[4];
    std::snprintf(pair, sizeof pair, "%02X:", byte);
    text += pair;
  }
  text.pop_back();
  return text;
}

std::vector<unsigned char> public_key_of(certificate const& of) {
  detail::pkey_ptr const key(X509_get_pubkey(of.native_handle()));
  unsigned char* written = nullptr;
  int const size = i2d_PUBKEY(key.get(), &written);
  detail::openssl_memory_ptr const bytes(written);
  return {bytes.get(), bytes.get() + size};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(certificate_names)

BOOST_AUTO_TEST_CASE(names_of_each_kind_are_told_apart_in_their_order) {
  certificate const made = with_names(
      "URI:urn:b,DNS:b.test,email:b@b.test,IP:10.0.0.1,DNS:a.test,URI:urn:a,IP:::1,email:a@a.test");
  BOOST_TEST(made.dns_names() == (strings{"b.test", "a.test"}), boost::test_tools::per_element());
  BOOST_TEST(made.ip_names() == (strings{"10.0.0.1", "::1"}), boost::test_tools::per_element());
  BOOST_TEST(made.uri_names() == (strings{"urn:b", "urn:a"}), boost::test_tools::per_element());
  BOOST_TEST(made.email_names() == (strings{"b@b.test", "a@a.test"}),
             boost::test_tools::per_element());
  BOOST_TEST(made.names() == (strings{"b.test", "10.0.0.1", "a.test", "::1"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_certificate_without_such_names_has_none) {
  for (certificate const& each : {with_names(""), with_names("RID:1.2.3.4")}) {
    BOOST_TEST(each.dns_names().empty());
    BOOST_TEST(each.ip_names().empty());
    BOOST_TEST(each.uri_names().empty());
    BOOST_TEST(each.email_names().empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(spiffe)

BOOST_AUTO_TEST_CASE(the_one_uri_of_a_workload_is_its_id) {
  BOOST_TEST(with_names("URI:spiffe://example.org/ns/a-b/sa/C_1.x").spiffe_id() ==
             "spiffe://example.org/ns/a-b/sa/C_1.x");
  BOOST_TEST(with_names("DNS:a.test,URI:spiffe://example.org,email:a@a.test").spiffe_id() ==
             "spiffe://example.org");
  std::string const longest = "spiffe://example.org/" + std::string(2027, 'a');
  BOOST_TEST(with_names("URI:" + longest).spiffe_id() == longest);
}

BOOST_AUTO_TEST_CASE(of_several_uris_none_is_an_id) {
  BOOST_TEST(with_names("URI:spiffe://a.org/x,URI:spiffe://a.org/y").spiffe_id() == "");
  BOOST_TEST(with_names("URI:spiffe://a.org/x,URI:https://a.org/").spiffe_id() == "");
  BOOST_TEST(with_names("DNS:a.org").spiffe_id() == "");
  BOOST_TEST(with_names("").spiffe_id() == "");
}

BOOST_AUTO_TEST_CASE(an_id_that_could_be_read_in_two_ways_is_none) {
  strings const refused{"https://a.org/x",     "spiffe:/a.org/x",     "SPIFFE://a.org/x",
                        "spiffe://",           "spiffe:///x",         "spiffe://A.org/x",
                        "spiffe://a.org:1/x",  "spiffe://u@a.org/x",  "spiffe://a.org/",
                        "spiffe://a.org/x/",   "spiffe://a.org//x",   "spiffe://a.org/./x",
                        "spiffe://a.org/..",   "spiffe://a.org/x?y",  "spiffe://a.org/x#y",
                        "spiffe://a.org/%41",  "spiffe://a.org/x y",  "spiffe://a%2eorg/x"};
  for (std::string const& each : refused) {
    BOOST_TEST_CONTEXT(each) BOOST_TEST(with_names("URI:" + each).spiffe_id() == "");
  }
  std::string const domain(255, 'a');
  BOOST_TEST(with_names("URI:spiffe://" + domain + "/x").spiffe_id() != "");
  BOOST_TEST(with_names("URI:spiffe://a" + domain + "/x").spiffe_id() == "");
  BOOST_TEST(with_names("URI:spiffe://a.org/" + std::string(2048, 'a')).spiffe_id() == "");
}

BOOST_AUTO_TEST_CASE(a_workload_is_in_its_own_trust_domain_alone) {
  certificate const made = with_names("URI:spiffe://example.org/billing");
  BOOST_TEST(made.in_trust_domain("example.org"));
  for (std::string_view const other : {"example.or", "example.org.", "xexample.org", "org", "",
                                       "Example.org", "example.org/billing"}) {
    BOOST_TEST_CONTEXT(other) BOOST_TEST(!made.in_trust_domain(other));
  }
  BOOST_TEST(!with_names("URI:spiffe://a.org/x,URI:spiffe://a.org/y").in_trust_domain("a.org"));
  BOOST_TEST(!with_names("").in_trust_domain(""));
}

BOOST_AUTO_TEST_CASE(an_id_without_a_path_is_a_domains_and_no_workloads) {
  certificate const made = with_names("URI:spiffe://example.org");
  BOOST_TEST(made.spiffe_id() == "spiffe://example.org");
  BOOST_TEST(!made.in_trust_domain("example.org"));
}

// X509-SVID section 3.2: "Signing certificates MUST NOT be used for authentication purposes."
BOOST_AUTO_TEST_CASE(an_authority_is_no_workload) {
  auto const signed_for = [](char const* constraints, char const* usage) {
    certificate made = self_signed_for(private_key::generate(), "svid");
    auto const add = [&](int kind, char const* value) {
      detail::x509_extension_ptr const extension(
          X509V3_EXT_nconf_nid(nullptr, nullptr, kind, value));
      X509_add_ext(made.native_handle(), extension.get(), -1);
    };
    add(NID_subject_alt_name, "URI:spiffe://example.org/x");
    if (constraints) add(NID_basic_constraints, constraints);
    if (usage) add(NID_key_usage, usage);
    return certificate::from_der(made.der());
  };
  BOOST_TEST(signed_for("CA:FALSE", "digitalSignature").in_trust_domain("example.org"));
  BOOST_TEST(!signed_for("CA:TRUE", "digitalSignature").in_trust_domain("example.org"));
  BOOST_TEST(!signed_for("CA:FALSE", "keyCertSign").in_trust_domain("example.org"));
  BOOST_TEST(!signed_for("CA:FALSE", "digitalSignature,cRLSign").in_trust_domain("example.org"));
  BOOST_TEST(!signed_for("CA:FALSE", nullptr).in_trust_domain("example.org"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(certificate_contents)

BOOST_AUTO_TEST_CASE(a_public_keys_fingerprint_is_the_digest_of_key_and_algorithm) {
  for (certificate const& each : {rsa_identity().chain().leaf(), with_names("DNS:a.test")}) {
    BOOST_TEST(each.public_key_fingerprint() == digest_of(public_key_of(each)));
  }
}

BOOST_AUTO_TEST_CASE(a_public_keys_fingerprint_stays_with_the_key_and_goes_with_another) {
  private_key const key = private_key::generate();
  certificate const old = self_signed_for(key, "old.test");
  certificate const renewed = self_signed_for(key, "renewed.test");
  BOOST_TEST(old.fingerprint() != renewed.fingerprint());
  BOOST_TEST(old.public_key_fingerprint() == renewed.public_key_fingerprint());
  BOOST_TEST(old.public_key_fingerprint() !=
             self_signed_for(private_key::generate(), "old.test").public_key_fingerprint());
}

BOOST_AUTO_TEST_CASE(an_extension_is_found_by_its_number) {
  certificate const made = with_names("DNS:a.test");
  // RFC 5280 section 4.2.1.9: a sequence, empty for an end entity.
  BOOST_TEST((made.extension("2.5.29.19") == std::vector<unsigned char>{0x30, 0x00}));
  BOOST_TEST((made.extension("2.5.29.17") ==
              std::vector<unsigned char>{0x30, 0x08, 0x82, 0x06, 'a', '.', 't', 'e', 's', 't'}));
}

BOOST_AUTO_TEST_CASE(an_extension_that_is_missing_or_there_twice_is_none) {
  certificate const made = with_names("DNS:a.test");
  for (std::string_view const oid :
       {"2.5.29.30", "", "subjectAltName", "2.5.29.", "9.9", "2.5.29.x"}) {
    BOOST_TEST_CONTEXT(oid) BOOST_TEST(!made.extension(oid).has_value());
  }
  certificate const twice = certificate::from_der(made.der());
  X509_EXTENSION* const first = X509_get_ext(
      twice.native_handle(), X509_get_ext_by_NID(twice.native_handle(), NID_basic_constraints, -1));
  X509_add_ext(twice.native_handle(), first, -1);
  BOOST_TEST(!twice.extension("2.5.29.19").has_value());
  BOOST_TEST(twice.extension("2.5.29.17").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::certificate_identity_test
