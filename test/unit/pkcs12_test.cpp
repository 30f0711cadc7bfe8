// PKCS #12: what is taken out of a file, in which order, and what a file lacks that is refused.

#include "openssl/openssl_ptr.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "rsa_identity.hpp"
#include "temporary_directory.hpp"

#include <cotls/error.hpp>
#include <cotls/identity.hpp>

#include <boost/test/unit_test.hpp>

#include <openssl/pkcs12.h>

namespace cotls::test::pkcs12_test {
namespace {

using texts = std::vector<std::string>;

// How a file is made. Without a digest nothing vouches for its password.
struct recipe {
  char const* password = "secret";
  int algorithm = NID_aes_256_cbc;   // -1: nothing is encrypted
  int digest_rounds = 0;             // as many as OpenSSL likes; -1: there is no digest
};

std::string to_bytes(PKCS12* file) {
  unsigned char* written = nullptr;
  int const size = i2d_PKCS12(file, &written);
  detail::openssl_memory_ptr const owned(written);
  return {reinterpret_cast<char const*>(written), static_cast<std::size_t>(size)};
}

detail::pkcs12_ptr parse(std::string const& bytes) {
  auto const* at = reinterpret_cast<unsigned char const*>(bytes.data());
  return detail::pkcs12_ptr(d2i_PKCS12(nullptr, &at, static_cast<long>(bytes.size())));
}

std::string make(private_key const* key, certificate const* leaf,
                 std::vector<certificate> const& others, recipe const& how = {}) {
  detail::x509_stack_ptr const stack(sk_X509_new_null());
  for (certificate const& each : others) {
    X509_up_ref(each.native_handle());
    sk_X509_push(stack.get(), each.native_handle());
  }
  detail::pkcs12_ptr const made(PKCS12_create(
      how.password, "a name", key ? key->native_handle() : nullptr,
      leaf ? leaf->native_handle() : nullptr, stack.get(), how.algorithm, how.algorithm, 0,
      how.digest_rounds, 0));
  if (!made) throw std::runtime_error("no PKCS #12 was made");
  return to_bytes(made.get());
}

// A chain of three, and an authority that has nothing to do with it.
struct fixture {
  authority const root = authority("root.test");
  authority const upper = root.make_intermediate("upper.test");
  authority const lower = upper.make_intermediate("lower.test");
  authority const stranger = authority("stranger.test");
  issued const made = lower.issue(certificate_request({"leaf.test"}));
  private_key const key = private_key::from_memory(made.key);
  certificate const leaf = made.leaf();
  key_options const secret = key_options().password("secret");

  std::string file(recipe const& how = {}) const {
    return make(&key, &leaf, {lower.certificate(), upper.certificate()}, how);
  }
};

texts subjects(identity const& who) {
  texts found;
  for (certificate const& each : who.chain().certificates()) found.push_back(each.subject());
  return found;
}

texts const whole_chain{"CN=leaf.test", "CN=lower.test", "CN=upper.test"};

error failure_of(std::string_view data, key_options const& options = key_options()) {
  try {
    identity::from_pkcs12(data, options);
  } catch (error const& thrown) {
    return thrown;
  }
  throw std::logic_error("the file was read");
}

bool fails_with(errc code, std::string_view data, key_options const& options = key_options()) {
  return failure_of(data, options).code() == code;
}

// What Windows XP and OpenSSL 1 have written: certificates encrypted by RC2, of which OpenSSL's
// default provider knows nothing. It knows 3DES, whose object identifier differs in one byte.
std::string encrypted_by_rc2(fixture const& from) {
  std::string const triple_des = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x03";
  recipe how;
  how.algorithm = NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
  how.digest_rounds = -1;
  std::string bytes = from.file(how);
  for (std::size_t at = 0; (at = bytes.find(triple_des, at)) != std::string::npos;) {
    at += triple_des.size();
    bytes[at - 1] = 6;
  }
  detail::pkcs12_ptr const file = parse(bytes);
  PKCS12_set_mac(file.get(), "secret", 6, nullptr, 0, 1, EVP_sha1());
  return to_bytes(file.get());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(pkcs12, fixture)

BOOST_AUTO_TEST_CASE(the_key_and_its_chain_are_taken) {
  identity const read = identity::from_pkcs12(file(), secret);
  BOOST_TEST(subjects(read) == whole_chain, boost::test_tools::per_element());
  BOOST_TEST(EVP_PKEY_eq(read.key().native_handle(), key.native_handle()) == 1);
}

BOOST_AUTO_TEST_CASE(a_file_is_read_like_memory) {
  temporary_directory const directory;
  std::string const path = directory.write("identity.p12", file());
  BOOST_TEST(subjects(identity::from_pkcs12_file(path, secret)) == whole_chain,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_is_named) {
  temporary_directory const directory;
  std::string const path = (directory.path() / "none.p12").string();
  BOOST_CHECK_EXCEPTION(
      identity::from_pkcs12_file(path), error, [&](error const& thrown) {
        return thrown.code() == boost::system::errc::no_such_file_or_directory &&
               std::string(thrown.what()).starts_with("loading the identity " + path);
      });
}

BOOST_AUTO_TEST_CASE(issuers_are_put_in_order_and_roots_and_strangers_left_out) {
  std::string const mixed = make(&key, &leaf,
                                 {root.certificate(), upper.certificate(),
                                  stranger.certificate(), lower.certificate()});
  BOOST_TEST(subjects(identity::from_pkcs12(mixed, secret)) == whole_chain,
             boost::test_tools::per_element());
  std::string const gap = make(&key, &leaf, {upper.certificate()});
  BOOST_TEST(subjects(identity::from_pkcs12(gap, secret)) == (texts{"CN=leaf.test"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_certificate_that_is_its_own_root_stays) {
  identity const self = make_self_signed({"self.test"});
  certificate const& own = self.chain().leaf();
  BOOST_TEST(subjects(identity::from_pkcs12(make(&self.key(), &own, {}), secret)) ==
                 (texts{"CN=self.test"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_wrong_password_and_none_are_told_apart) {
  BOOST_TEST(fails_with(errc::password_required, file()));
  BOOST_TEST(fails_with(errc::wrong_password, file(), key_options().password("guess")));
  BOOST_TEST(fails_with(errc::wrong_password, file(), key_options().password("")));
  std::string longer = "secret";
  longer += '\0';
  BOOST_TEST(fails_with(errc::wrong_password, file(), key_options().password(longer + "tail")));
}

BOOST_AUTO_TEST_CASE(a_password_is_asked_for_once_and_only_when_it_is_needed) {
  int asked = 0;
  key_options const asking = key_options().ask_password([&] {
    ++asked;
    return std::string("secret");
  });
  recipe open;
  open.password = nullptr;
  identity::from_pkcs12(file(open), asking);
  BOOST_TEST(asked == 0);
  identity::from_pkcs12(file(), asking);
  BOOST_TEST(asked == 1);
  struct given_up {};
  auto const gives_up = [] { throw given_up(); return std::string(); };
  BOOST_CHECK_THROW(identity::from_pkcs12(file(), key_options().ask_password(gives_up)), given_up);
}

BOOST_AUTO_TEST_CASE(an_empty_password_and_none_are_not_missed) {
  for (char const* const password : {"", static_cast<char const*>(nullptr)}) {
    recipe open;
    open.password = password;
    BOOST_TEST(subjects(identity::from_pkcs12(file(open))) == whole_chain,
               boost::test_tools::per_element());
    BOOST_TEST(subjects(identity::from_pkcs12(file(open), secret)) == whole_chain,
               boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(without_a_digest_the_decryption_tells_a_wrong_password) {
  recipe bare;
  bare.digest_rounds = -1;
  BOOST_TEST(subjects(identity::from_pkcs12(file(bare), secret)) == whole_chain,
             boost::test_tools::per_element());
  BOOST_TEST(fails_with(errc::wrong_password, file(bare), key_options().password("guess")));
  BOOST_TEST(fails_with(errc::password_required, file(bare)));
}

BOOST_AUTO_TEST_CASE(a_file_of_old_says_what_it_needs) {
  error const thrown = failure_of(encrypted_by_rc2(*this), secret);
  std::string const said = thrown.what();
  BOOST_TEST((thrown.code().category() == openssl_category()));
  BOOST_TEST(thrown.code().message() == "unsupported");
  BOOST_TEST(said.find("provider \"legacy\"") != std::string::npos, said);
  BOOST_TEST(said.find("RC2-40-CBC") != std::string::npos, said);
  BOOST_TEST(fails_with(errc::wrong_password, encrypted_by_rc2(*this),
                        key_options().password("guess")));
}

BOOST_AUTO_TEST_CASE(a_file_of_old_that_needs_no_other_provider_is_read) {
  recipe old;
  old.algorithm = NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
  BOOST_TEST(subjects(identity::from_pkcs12(file(old), secret)) == whole_chain,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_file_without_a_key_is_refused) {
  std::string const trusted = make(nullptr, nullptr, {root.certificate()});
  BOOST_TEST(fails_with(errc::no_private_key_found, trusted, secret));
}

BOOST_AUTO_TEST_CASE(a_key_without_its_certificate_is_refused) {
  BOOST_TEST(fails_with(errc::no_certificate_found,
                        make(&key, nullptr, {lower.certificate(), root.certificate()}), secret));
}

BOOST_AUTO_TEST_CASE(rsa_only_takes_rsa_alone) {
  certificate const of_rsa = self_signed_for(rsa_key(), "rsa.test");
  key_options const rsa = key_options(secret).rsa_only();
  BOOST_TEST(subjects(identity::from_pkcs12(make(&rsa_key(), &of_rsa, {}), rsa)) ==
                 (texts{"CN=rsa.test"}),
             boost::test_tools::per_element());
  BOOST_TEST(fails_with(errc::no_private_key_found, file(), rsa));
}

BOOST_AUTO_TEST_CASE(what_is_no_pkcs12_is_refused) {
  std::string const good = file();
  for (std::string const& bad :
       {std::string(), std::string("no file"), made.chain() + made.key, good + "x",
        good.substr(0, good.size() - 1)}) {
    BOOST_TEST(fails_with(errc::no_private_key_found, bad, secret));
  }
}

// The digest vouches for the password, so that it cannot be what is wrong.
BOOST_AUTO_TEST_CASE(content_that_its_password_does_not_decrypt_is_damaged) {
  detail::pkcs12_ptr const both = parse(file());
  PKCS12_set_mac(both.get(), "other", 5, nullptr, 0, 1, EVP_sha256());
  error const thrown = failure_of(to_bytes(both.get()), key_options().password("other"));
  BOOST_TEST((thrown.code() == errc::no_private_key_found));
  BOOST_TEST(!thrown.openssl_stack().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::pkcs12_test
