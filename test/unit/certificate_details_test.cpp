// What a certificate says of itself for people to read and compare.

#include "openssl/openssl_ptr.hpp"
#include "rsa_identity.hpp"

#include <cotls/identity.hpp>

#include <boost/test/unit_test.hpp>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <cstdio>
#include <string>

namespace cotls::test::certificate_details_test {
namespace {

certificate with_serial(char const* digits) {
  certificate made = self_signed_for(private_key::generate(), "serial.test");
  BIGNUM* parsed = nullptr;
  BN_hex2bn(&parsed, digits);
  detail::bignum_ptr const number(parsed);
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(made.native_handle()));
  return made;
}

certificate for_key(detail::pkey_ptr const& key) {
  return self_signed_for(private_key::from_native(key.get()), "key.test");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(certificate_details)

BOOST_AUTO_TEST_CASE(a_serial_number_is_read_as_hexadecimal_digits) {
  BOOST_TEST(with_serial("0").serial_number() == "00");
  BOOST_TEST(with_serial("1").serial_number() == "01");
  BOOST_TEST(with_serial("4FE2A").serial_number() == "04FE2A");
  BOOST_TEST(with_serial("-80").serial_number() == "-80");
  std::string const longest(40, 'F');
  BOOST_TEST(with_serial(longest.c_str()).serial_number() == longest);
}

BOOST_AUTO_TEST_CASE(the_key_is_called_what_the_private_key_is_called) {
  detail::pkey_ptr const p384(EVP_EC_gen("P-384"));
  BOOST_TEST(rsa_identity().chain().leaf().key_kind() == "RSA 2048");
  BOOST_TEST(for_key(p384).key_kind() == "EC P-384");
}

BOOST_AUTO_TEST_CASE(a_key_that_cannot_be_read_is_unknown) {
  certificate const made = self_signed_for(private_key::generate(), "key.test");
  std::vector<unsigned char> der = made.der();
  std::array<unsigned char, 5> const public_key_algorithm{0x2A, 0x86, 0x48, 0xCE, 0x3D};
  auto const at = std::search(der.begin(), der.end(), public_key_algorithm.begin(),
                              public_key_algorithm.end());
  auto const in_the_key = std::search(at + 1, der.end(), public_key_algorithm.begin(),
                                      public_key_algorithm.end());
  *(in_the_key + 4) = 0x3F;
  BOOST_TEST(certificate::from_der(der).key_kind() == "unknown");
}

BOOST_AUTO_TEST_CASE(the_signature_has_a_name) {
  BOOST_TEST(rsa_identity().chain().leaf().signature_algorithm() == "sha256WithRSAEncryption");
  BOOST_TEST(make_self_signed({"a.test"}).chain().leaf().signature_algorithm() ==
             "ecdsa-with-SHA256");
}

BOOST_AUTO_TEST_CASE(the_fingerprint_is_the_digest_of_its_bytes) {
  certificate const made = make_self_signed({"a.test"}).chain().leaf();
  std::vector<unsigned char> const der = made.der();
  std::array<unsigned char, 32> digest{};
  std::size_t size = 0;
  EVP_Q_digest(nullptr, "SHA256", nullptr, der.data(), der.size(), digest.data(), &size);
  std::string expected;
  for (unsigned char const byte : digest) {
    char text[4];
    std::snprintf(text, sizeof text, "%02X:", byte);
    expected += text;
  }
  expected.pop_back();
  BOOST_TEST(made.fingerprint() == expected);
  BOOST_TEST(made.fingerprint() != make_self_signed({"a.test"}).chain().leaf().fingerprint());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::certificate_details_test
