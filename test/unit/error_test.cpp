// Errors: the codes, what they compare equal to, and the text that is made of all that is known.

#include "openssl/openssl_error.hpp"
#include "print.hpp"

#include <cotls/error.hpp>

#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <set>

namespace cotls::test::error_test {
namespace {

constexpr unsigned long verify_failed = ERR_PACK(ERR_LIB_SSL, 0, SSL_R_CERTIFICATE_VERIFY_FAILED);

detail::failure known(std::string context) {
  detail::failure made;
  made.context = std::move(context);
  return made;
}

detail::failure refused(int result, int depth, std::string subject) {
  detail::failure made = known("handshake with localhost:44321");
  made.status = status::ssl;
  made.verify_result = result;
  made.verify_depth = depth;
  made.verify_subject = std::move(subject);
  made.openssl_stack = "SSL routines: certificate verify failed";
  return made;
}

std::string what(error_code code, detail::failure of = {}) { return error(code, of).what(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(error_text)

BOOST_AUTO_TEST_CASE(a_refused_certificate_is_named_with_its_place_in_the_chain) {
  BOOST_TEST(what(detail::to_error_code(verify_failed),
                  refused(X509_V_ERR_CERT_HAS_EXPIRED, 0, "CN=localhost")) ==
             "handshake with localhost:44321 failed: the peer's certificate has expired "
             "(depth 0, CN=localhost) [ssl: certificate verify failed]");
}

BOOST_AUTO_TEST_CASE(a_remark_stands_behind_the_place_or_alone) {
  detail::failure mismatch = refused(X509_V_ERR_HOSTNAME_MISMATCH, 0, "CN=a.test");
  mismatch.remark = "it is for a.test";
  BOOST_TEST(what(detail::to_error_code(verify_failed), mismatch) ==
             "handshake with localhost:44321 failed: the peer's certificate is for another host "
             "name (depth 0, CN=a.test; it is for a.test) [ssl: certificate verify failed]");
  detail::failure unpinned = refused(X509_V_ERR_CERT_UNTRUSTED, 0, "CN=a.test");
  unpinned.remark = "its keys are x";
  std::string const text = what(errc::no_pinned_key, unpinned);
  BOOST_TEST(text.find("certificate verify failed") == std::string::npos);
  BOOST_TEST(text.ends_with("(its keys are x) [cotls: no_pinned_key]"));
}

BOOST_AUTO_TEST_CASE(a_refused_issuer_is_not_called_the_peers_certificate) {
  BOOST_TEST(what(detail::to_error_code(verify_failed),
                  refused(X509_V_ERR_CERT_HAS_EXPIRED, 1, "CN=authority")) ==
             "handshake with localhost:44321 failed: a certificate of the peer's chain has expired "
             "(depth 1, CN=authority) [ssl: certificate verify failed]");
}

BOOST_AUTO_TEST_CASE(a_verification_result_without_words_of_ours_has_openssls) {
  std::string const text = what(detail::to_error_code(verify_failed),
                                refused(X509_V_ERR_SUBTREE_MINMAX, 0, ""));
  BOOST_TEST(text.find(X509_verify_cert_error_string(X509_V_ERR_SUBTREE_MINMAX)) !=
             std::string::npos);
  BOOST_TEST(text.find("(depth 0)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(without_a_context_the_text_starts_with_the_reason) {
  detail::failure without = refused(X509_V_ERR_HOSTNAME_MISMATCH, 0, "CN=localhost");
  without.context.clear();
  BOOST_TEST(what(detail::to_error_code(verify_failed), without) ==
             "the peer's certificate is for another host name (depth 0, CN=localhost) "
             "[ssl: certificate verify failed]");
}

BOOST_AUTO_TEST_CASE(an_alert_says_what_the_peer_refuses) {
  BOOST_TEST(what(alert::unknown_ca, known("handshake with x:1")) ==
             "handshake with x:1 failed: the peer does not trust the certificate's authority "
             "[tls.alert: unknown_ca]");
  BOOST_TEST(make_error_code(alert::unknown_ca).message() ==
             "the peer does not trust the certificate's authority (alert unknown_ca)");
}

BOOST_AUTO_TEST_CASE(an_alert_is_not_explained_by_our_own_verification) {
  BOOST_TEST(what(alert::unknown_ca, refused(X509_V_ERR_CERT_HAS_EXPIRED, 0, "CN=a"))
                 .find("expired") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_alert_without_a_name_has_its_number) {
  BOOST_TEST(what(static_cast<alert>(200)) == "the peer ended the connection [tls.alert: 200]");
  BOOST_TEST(make_error_code(static_cast<alert>(200)).message() ==
             "the peer ended the connection (alert 200)");
}

BOOST_AUTO_TEST_CASE(openssls_reasons_follow_our_own) {
  detail::failure loading = known("loading the private key k.pem");
  loading.openssl_stack = "DECODER routines: unsupported\nPEM routines: bad base64 decode";
  std::string const text = what(errc::no_private_key_found, loading);
  BOOST_TEST(text.starts_with("loading the private key k.pem failed: no private key was found"));
  BOOST_TEST(text.ends_with(" (DECODER routines: unsupported; PEM routines: bad base64 decode) "
                            "[cotls: no_private_key_found]"));
}

BOOST_AUTO_TEST_CASE(openssls_reason_is_not_said_twice) {
  detail::failure failed = known("reading");
  failed.openssl_stack = "SSL routines: bad record type";
  unsigned long const code = ERR_PACK(ERR_LIB_SSL, 0, SSL_R_BAD_RECORD_TYPE);
  BOOST_TEST(what(detail::to_error_code(code), failed) ==
             "reading failed: OpenSSL says 'bad record type' [ssl: bad record type]");
}

BOOST_AUTO_TEST_CASE(a_system_error_keeps_the_systems_words) {
  error_code const code(ENOENT, boost::system::system_category());
  BOOST_TEST(what(code, known("loading k.pem")) ==
             "loading k.pem failed: No such file or directory [system: " + std::to_string(ENOENT) +
                 "]");
}

BOOST_AUTO_TEST_CASE(no_error_is_said_to_be_none) {
  BOOST_TEST(what({}) == "no error");
  BOOST_TEST(what({}, known("the connection")) == "the connection: no error");
}

BOOST_AUTO_TEST_CASE(each_part_can_be_read_on_its_own) {
  error const thrown(detail::to_error_code(verify_failed),
                     refused(X509_V_ERR_CERT_HAS_EXPIRED, 0, "CN=localhost"));
  BOOST_TEST((thrown.status() == status::ssl));
  BOOST_TEST((thrown.code().category() == openssl_category()));
  BOOST_TEST(thrown.code().message() == "certificate verify failed");
  BOOST_TEST(thrown.verify_result() == X509_V_ERR_CERT_HAS_EXPIRED);
  BOOST_TEST(thrown.openssl_stack() == "SSL routines: certificate verify failed");
  BOOST_TEST(!thrown.alert().has_value());
  BOOST_TEST((error(alert::access_denied).alert() == alert::access_denied));
}

BOOST_AUTO_TEST_CASE(a_copy_says_the_same_without_allocating) {
  static_assert(std::is_nothrow_copy_constructible_v<error>);
  error const thrown(errc::no_host_name, known("connecting"));
  error const copy = thrown;   // NOLINT: the copy is what is tested
  BOOST_TEST(static_cast<void const*>(copy.what()) == static_cast<void const*>(thrown.what()));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(error_codes)

BOOST_AUTO_TEST_CASE(each_category_has_its_name) {
  BOOST_TEST(cotls_category().name() == "cotls");
  BOOST_TEST(alert_category().name() == "tls.alert");
  BOOST_TEST(openssl_category().name() == "ssl");
}

BOOST_AUTO_TEST_CASE(each_errc_has_a_message_of_its_own) {
  std::set<std::string> messages;
  int const last = static_cast<int>(errc::signer_failed);
  for (int value = 1; value <= last; ++value) {
    std::string const message = make_error_code(static_cast<errc>(value)).message();
    BOOST_TEST(message != "unknown error");
    messages.insert(message);
  }
  BOOST_TEST(messages.size() == static_cast<std::size_t>(last));
  BOOST_TEST(make_error_code(static_cast<errc>(last + 1)).message() == "unknown error");
}

BOOST_AUTO_TEST_CASE(timeouts_compare_equal_to_timed_out) {
  for (errc timeout : {errc::connect_timeout, errc::handshake_timeout, errc::shutdown_timeout}) {
    BOOST_TEST((make_error_code(timeout) == boost::system::errc::timed_out));
  }
  BOOST_TEST((make_error_code(errc::stream_truncated) != boost::system::errc::timed_out));
}

BOOST_AUTO_TEST_CASE(a_received_alert_becomes_an_alert) {
  unsigned long const packed =
      ERR_PACK(ERR_LIB_SSL, 0, SSL_AD_REASON_OFFSET + SSL_AD_UNRECOGNIZED_NAME);
  BOOST_TEST((detail::to_error_code(packed) == alert::unrecognized_name));
}

BOOST_AUTO_TEST_CASE(an_error_of_our_own_side_is_no_alert) {
  BOOST_TEST((detail::to_error_code(verify_failed).category() == openssl_category()));
  // The same reason in another library means something else.
  unsigned long const elsewhere = ERR_PACK(ERR_LIB_X509, 0, SSL_AD_REASON_OFFSET + 48);
  BOOST_TEST((detail::to_error_code(elsewhere).category() == openssl_category()));
}

BOOST_AUTO_TEST_CASE(a_system_error_within_openssl_stays_a_system_error) {
  detail::clear_openssl_errors();
  ERR_raise(ERR_LIB_SYS, ENOENT);
  detail::openssl_error const taken = detail::take_openssl_error();
  BOOST_TEST((detail::to_error_code(taken.code) == boost::system::errc::no_such_file_or_directory));
  BOOST_TEST(taken.stack.find("No such file or directory") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_whole_queue_is_taken_and_its_newest_entry_is_the_code) {
  detail::clear_openssl_errors();
  ERR_raise_data(ERR_LIB_PEM, PEM_R_BAD_BASE64_DECODE, "line %d", 7);
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_RECORD_TYPE);
  detail::openssl_error const taken = detail::take_openssl_error();
  BOOST_TEST(taken.stack ==
             "PEM routines: bad base64 decode: line 7\nSSL routines: bad record type");
  BOOST_TEST(ERR_GET_REASON(taken.code) == SSL_R_BAD_RECORD_TYPE);
  BOOST_TEST((taken.status == status::ssl));
  BOOST_TEST(detail::take_openssl_error().code == 0u);
}

BOOST_AUTO_TEST_CASE(leftovers_are_gone_once_the_queue_is_cleared) {
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_RECORD_TYPE);
  detail::clear_openssl_errors();
  detail::openssl_error const taken = detail::take_openssl_error();
  BOOST_TEST(taken.code == 0u);
  BOOST_TEST((taken.status == status::unclassified));
}

BOOST_AUTO_TEST_CASE(throwing_takes_openssls_code_when_none_is_given) {
  auto const thrown_with = [](error_code code) -> error {
    try {
      detail::throw_openssl_error(code, "trying");
    } catch (error const& thrown) {
      return thrown;
    }
  };
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_RECORD_TYPE);
  BOOST_TEST(thrown_with({}).code().message() == "bad record type");
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_RECORD_TYPE);
  error const ours = thrown_with(errc::key_mismatch);
  BOOST_TEST((ours.code() == errc::key_mismatch));
  BOOST_TEST(ours.openssl_stack() == "SSL routines: bad record type");
  BOOST_TEST((thrown_with({}).code() == errc::unexpected_result));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::error_test
