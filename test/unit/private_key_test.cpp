// Private keys: which one of a file is taken, in which format, and what an encrypted one needs.

#include "openssl/openssl_ptr.hpp"
#include "print.hpp"
#include "rsa_identity.hpp"
#include "temporary_directory.hpp"

#include <cotls/error.hpp>
#include <cotls/private_key.hpp>

#include <boost/test/unit_test.hpp>

namespace cotls::test::private_key_test {
namespace {

private_key const& ec_key() {
  static private_key const made = private_key::generate();
  return made;
}

std::string written(BIO* bio) {
  char* data = nullptr;
  long const size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

detail::bio_ptr output() { return detail::bio_ptr(BIO_new(BIO_s_mem())); }

std::string der_of(private_key const& key) {
  detail::bio_ptr const to = output();
  i2d_PrivateKey_bio(to.get(), key.native_handle());
  return written(to.get());
}

std::string pkcs8_der_of(private_key const& key) {
  detail::bio_ptr const to = output();
  i2d_PKCS8PrivateKey_bio(to.get(), key.native_handle(), nullptr, nullptr, 0, nullptr, nullptr);
  return written(to.get());
}

std::string encrypted_der(private_key const& key, std::string const& password) {
  detail::bio_ptr const to = output();
  i2d_PKCS8PrivateKey_bio(to.get(), key.native_handle(), EVP_aes_256_cbc(), password.data(),
                          static_cast<int>(password.size()), nullptr, nullptr);
  return written(to.get());
}

std::string encrypted_pem(private_key const& key, std::string const& password) {
  detail::bio_ptr const to = output();
  PEM_write_bio_PKCS8PrivateKey(to.get(), key.native_handle(), EVP_aes_256_cbc(), password.data(),
                                static_cast<int>(password.size()), nullptr, nullptr);
  return written(to.get());
}

// "-----BEGIN EC PRIVATE KEY-----" and "Proc-Type: 4,ENCRYPTED", as OpenSSL wrote them of old.
std::string encrypted_traditional_pem(private_key const& key, std::string const& password) {
  detail::bio_ptr const to = output();
  PEM_write_bio_PrivateKey_traditional(
      to.get(), key.native_handle(), EVP_aes_256_cbc(),
      reinterpret_cast<unsigned char const*>(password.data()), static_cast<int>(password.size()),
      nullptr, nullptr);
  return written(to.get());
}

bool same(private_key const& one, private_key const& other) {
  return EVP_PKEY_eq(one.native_handle(), other.native_handle()) == 1;
}

error failure_of(std::string_view data, key_options const& options = key_options()) {
  try {
    private_key::from_memory(data, options);
  } catch (error const& thrown) {
    return thrown;
  }
  throw std::logic_error("the key was read");
}

bool fails_with(errc code, std::string_view data, key_options const& options = key_options()) {
  return failure_of(data, options).code() == code;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(private_keys)

BOOST_AUTO_TEST_CASE(the_first_key_of_a_file_is_taken) {
  std::string const both = ec_key().pem() + rsa_key().pem();
  BOOST_TEST(same(private_key::from_memory(both), ec_key()));
}

BOOST_AUTO_TEST_CASE(rsa_only_skips_other_keys) {
  std::string const both = ec_key().pem() + rsa_key().pem();
  BOOST_TEST(same(private_key::from_memory(both, key_options().rsa_only()), rsa_key()));
}

BOOST_AUTO_TEST_CASE(rsa_only_without_an_rsa_key_finds_none) {
  BOOST_TEST(fails_with(errc::no_private_key_found, ec_key().pem(), key_options().rsa_only()));
  BOOST_TEST(
      fails_with(errc::no_private_key_found, der_of(ec_key()), key_options().rsa_only().der()));
}

BOOST_AUTO_TEST_CASE(rsa_only_skips_an_encrypted_ec_key_without_its_password) {
  std::string const both = encrypted_traditional_pem(ec_key(), "secret") + rsa_key().pem();
  BOOST_TEST(same(private_key::from_memory(both, key_options().rsa_only()), rsa_key()));
  BOOST_TEST(fails_with(errc::password_required, both));
}

BOOST_AUTO_TEST_CASE(rsa_only_decrypts_a_key_that_does_not_tell_what_it_is) {
  std::string const keys = encrypted_pem(ec_key(), "secret") + rsa_key().pem();
  key_options const rsa = key_options().rsa_only();
  BOOST_TEST(same(private_key::from_memory(keys, key_options(rsa).password("secret")), rsa_key()));
  BOOST_TEST(fails_with(errc::wrong_password, keys, key_options(rsa).password("guess")));
}

BOOST_AUTO_TEST_CASE(what_is_no_private_key_is_skipped) {
  std::string const around = "Bag Attributes\n  friendlyName: a key\n" +
                             rsa_identity().chain().leaf().pem() + "\n" + ec_key().pem() + "end";
  BOOST_TEST(same(private_key::from_memory(around), ec_key()));
}

BOOST_AUTO_TEST_CASE(lines_may_end_as_on_windows) {
  std::string pem;
  for (char each : ec_key().pem()) pem += each == '\n' ? std::string("\r\n") : std::string(1, each);
  BOOST_TEST(same(private_key::from_memory(pem), ec_key()));
}

BOOST_AUTO_TEST_CASE(text_without_a_key_is_refused) {
  std::string const certificate = rsa_identity().chain().leaf().pem();
  for (std::string const& text : {std::string(), std::string("no key"), certificate,
                                  std::string("-----BEGIN PRIVATE KEY-----\nMII"),
                                  std::string("x -----BEGIN PRIVATE KEY-----\n")}) {
    BOOST_TEST(fails_with(errc::no_private_key_found, text));
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_key_is_not_skipped) {
  std::string damaged = ec_key().pem();
  damaged.replace(40, 4, "AAAA");
  error const thrown = failure_of(damaged + rsa_key().pem());
  BOOST_TEST((thrown.code() == errc::no_private_key_found));
  BOOST_TEST(!thrown.openssl_stack().empty());
}

BOOST_AUTO_TEST_CASE(der_is_read_with_its_flag_and_refused_without) {
  for (private_key const& key : {ec_key(), rsa_key()}) {
    for (std::string const& der : {der_of(key), pkcs8_der_of(key)}) {
      BOOST_TEST(same(private_key::from_memory(der, key_options().der()), key));
      BOOST_TEST(fails_with(errc::no_private_key_found, der));
    }
    BOOST_TEST(fails_with(errc::no_private_key_found, key.pem(), key_options().der()));
  }
  BOOST_TEST(
      same(private_key::from_memory(der_of(rsa_key()), key_options().der().rsa_only()), rsa_key()));
}

BOOST_AUTO_TEST_CASE(der_with_trailing_bytes_or_none_at_all_is_refused) {
  BOOST_TEST(fails_with(errc::no_private_key_found, der_of(ec_key()) + "x", key_options().der()));
  BOOST_TEST(fails_with(errc::no_private_key_found, "", key_options().der()));
}

BOOST_AUTO_TEST_CASE(an_encrypted_key_is_read_with_its_password) {
  key_options const secret = key_options().password("secret");
  BOOST_TEST(same(private_key::from_memory(encrypted_pem(ec_key(), "secret"), secret), ec_key()));
  BOOST_TEST(same(private_key::from_memory(encrypted_traditional_pem(rsa_key(), "secret"), secret),
                  rsa_key()));
  BOOST_TEST(same(private_key::from_memory(encrypted_der(ec_key(), "secret"),
                                           key_options().password("secret").der()),
                  ec_key()));
}

BOOST_AUTO_TEST_CASE(an_encrypted_key_without_a_password_says_that_it_needs_one) {
  BOOST_TEST(fails_with(errc::password_required, encrypted_pem(ec_key(), "secret")));
  BOOST_TEST(fails_with(errc::password_required, encrypted_traditional_pem(rsa_key(), "secret")));
  BOOST_TEST(
      fails_with(errc::password_required, encrypted_der(ec_key(), "secret"), key_options().der()));
}

BOOST_AUTO_TEST_CASE(an_encrypted_key_with_another_password_says_that_it_is_wrong) {
  key_options const other = key_options().password("guess");
  BOOST_TEST(fails_with(errc::wrong_password, encrypted_pem(ec_key(), "secret"), other));
  BOOST_TEST(
      fails_with(errc::wrong_password, encrypted_traditional_pem(rsa_key(), "secret"), other));
  BOOST_TEST(fails_with(errc::wrong_password, encrypted_der(ec_key(), "secret"),
                        key_options().password("guess").der()));
  BOOST_TEST(fails_with(errc::wrong_password, encrypted_pem(ec_key(), "secret"),
                        key_options().password(std::string(5000, 'x'))));
}

BOOST_AUTO_TEST_CASE(a_password_that_is_not_needed_does_no_harm) {
  key_options const needless = key_options().password("secret");
  BOOST_TEST(same(private_key::from_memory(ec_key().pem(), needless), ec_key()));
}

BOOST_AUTO_TEST_CASE(a_password_is_asked_for_once_and_only_by_an_encrypted_key) {
  int asked = 0;
  key_options const asking = key_options().ask_password([&] {
    ++asked;
    return std::string("secret");
  });
  BOOST_TEST(same(private_key::from_memory(ec_key().pem(), asking), ec_key()));
  BOOST_TEST(asked == 0);
  BOOST_TEST(same(private_key::from_memory(encrypted_pem(ec_key(), "secret"), asking), ec_key()));
  BOOST_TEST(asked == 1);
  key_options both = key_options(asking).rsa_only();
  BOOST_TEST(same(private_key::from_memory(encrypted_pem(ec_key(), "secret") +
                                               encrypted_pem(rsa_key(), "secret"),
                                           both),
                  rsa_key()));
  BOOST_TEST(asked == 2);
  BOOST_TEST(same(private_key::from_memory(encrypted_der(ec_key(), "secret"),
                                           key_options(asking).der()),
                  ec_key()));
  BOOST_TEST(asked == 3);
  BOOST_TEST(same(private_key::from_memory(encrypted_pem(ec_key(), "given"),
                                           key_options(asking).password("given")),
                  ec_key()));
  BOOST_TEST(asked == 3);
}

BOOST_AUTO_TEST_CASE(a_wrong_answer_is_a_wrong_password_and_what_the_asked_throws_is_passed_on) {
  std::string const encrypted = encrypted_pem(ec_key(), "secret");
  BOOST_TEST(fails_with(errc::wrong_password, encrypted,
                        key_options().ask_password([] { return std::string("guess"); })));
  struct given_up {};
  auto const gives_up = [] { throw given_up(); return std::string(); };
  BOOST_CHECK_THROW(private_key::from_memory(encrypted, key_options().ask_password(gives_up)),
                    given_up);
}

BOOST_AUTO_TEST_CASE(a_file_is_read_like_memory) {
  temporary_directory const directory;
  std::string const pem = directory.write("key.pem", ec_key().pem() + rsa_key().pem());
  std::string const der = directory.write("key.der", der_of(rsa_key()));
  BOOST_TEST(same(private_key::from_file(pem), ec_key()));
  BOOST_TEST(same(private_key::from_file(pem, key_options().rsa_only()), rsa_key()));
  BOOST_TEST(same(private_key::from_file(der, key_options().der()), rsa_key()));
}

BOOST_AUTO_TEST_CASE(a_large_file_is_read_to_its_end) {
  temporary_directory const directory;
  std::string const pem =
      directory.write("key.pem", std::string(100'000, '\n') + ec_key().pem());
  BOOST_TEST(same(private_key::from_file(pem), ec_key()));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_keeps_the_systems_error_and_its_path) {
  temporary_directory const directory;
  auto const says = [](std::filesystem::path const& path, boost::system::errc::errc_t code) {
    try {
      private_key::from_file(path);
    } catch (error const& thrown) {
      return thrown.code() == code &&
             std::string(thrown.what()).starts_with("loading the private key " + path.string());
    }
    return false;
  };
  BOOST_TEST(says(directory.path() / "none.pem", boost::system::errc::no_such_file_or_directory));
  BOOST_TEST(says(directory.path(), boost::system::errc::is_a_directory));
}

BOOST_AUTO_TEST_CASE(a_file_without_a_key_says_which_file_it_is) {
  temporary_directory const directory;
  std::string const empty = directory.write("empty.pem", "");
  BOOST_CHECK_EXCEPTION(private_key::from_file(empty), error, [&](error const& thrown) {
    return thrown.code() == errc::no_private_key_found &&
           std::string(thrown.what()).find(empty) != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(a_key_tells_its_kind_as_people_name_it) {
  detail::pkey_ptr const edwards(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  detail::pkey_ptr const p384(EVP_EC_gen("P-384"));
  BOOST_TEST(ec_key().kind() == "EC P-256");
  BOOST_TEST(rsa_key().kind() == "RSA 2048");
  BOOST_TEST(private_key::from_native(edwards.get()).kind() == "ED25519");
  BOOST_TEST(private_key::from_native(p384.get()).kind() == "EC P-384");
}

BOOST_AUTO_TEST_CASE(what_is_written_can_be_read_again) {
  BOOST_TEST(ec_key().pem().starts_with("-----BEGIN PRIVATE KEY-----\n"));
  BOOST_TEST(same(private_key::from_memory(rsa_key().pem()), rsa_key()));
  BOOST_TEST(!same(private_key::generate(), private_key::generate()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::private_key_test
