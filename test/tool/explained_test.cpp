// The library's errors, as the command says them: whoever reads them has options, and no C++.

#include "exit_code.hpp"
#include "explained.hpp"

#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <cctype>
#include <string>
#include <string_view>

namespace cotls::tool {
namespace {

std::string without_code(std::string const& text) { return text.substr(0, text.rfind(" [")); }

// A word that only a program could mean: a name with an underscore, but for the one of TLS, or a
// qualified one.
bool speaks_cpp(std::string text) {
  constexpr std::string_view of_tls = "close_notify";
  if (auto const at = text.find(of_tls); at != std::string::npos) text.erase(at, of_tls.size());
  auto const in_name = [&](std::size_t at) {
    return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0);
  };
  for (std::size_t at = 1; at + 1 < text.size(); ++at) {
    if (text[at] == '_' && in_name(at - 1) && in_name(at + 1)) return true;
  }
  return text.find("::") != std::string::npos || text.find("()") != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(explanations)

BOOST_AUTO_TEST_CASE(no_error_of_ours_names_a_call) {
  BOOST_TEST(speaks_cpp("see verify::none"));
  BOOST_TEST(speaks_cpp("see set_ciphers"));
  error_code code(1, cotls_category());
  for (; code.message() != "unknown error"; code.assign(code.value() + 1, cotls_category())) {
    std::string const text = without_code(explained(error(code)));
    BOOST_TEST(!speaks_cpp(text), text);
  }
  BOOST_TEST(code.value() > 20);
}

BOOST_AUTO_TEST_CASE(no_explanation_of_openssls_errors_names_a_call) {
  for (int reason = 1; reason < 1200; ++reason) {
    auto const packed = static_cast<int>(ERR_PACK(ERR_LIB_SSL, 0, reason));
    error const failed(error_code(packed, openssl_category()));
    std::string const own = failed.code().message();
    std::string text = without_code(explained(failed));
    if (auto const at = text.find(own); at != std::string::npos) text.erase(at, own.size());
    BOOST_TEST(!speaks_cpp(text), text);
  }
}

BOOST_AUTO_TEST_CASE(no_explanation_of_an_alert_names_a_call) {
  for (int value = 0; value < 256; ++value) {
    std::string const text = without_code(explained(error(error_code(value, alert_category()))));
    BOOST_TEST(!speaks_cpp(text), text);
  }
}

BOOST_AUTO_TEST_CASE(a_remedy_is_an_option) {
  BOOST_TEST(reason_of(error(errc::password_required)) ==
             "the private key is encrypted: give its password with --password-file "
             "[cotls: password_required]");
  BOOST_TEST(reason_of(error(alert::handshake_failure)).find("set_ciphers") == std::string::npos);
  detail::failure known;
  known.context = "loading the private key k.pem";
  BOOST_TEST(explained(error(errc::no_private_key_found, known)) ==
             "loading the private key k.pem failed: no private key was found: check the file of "
             "--key, or of --cert without it [cotls: no_private_key_found]");
}

BOOST_AUTO_TEST_CASE(openssls_reason_is_said) {
  int const packed = static_cast<int>(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_BAD_RECORD_TYPE));
  std::string const text = explained(error(error_code(packed, openssl_category())));
  BOOST_TEST(text.find("routines failed") == std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(a_wrong_value_is_the_command_lines) {
  BOOST_TEST((code_of(error(errc::invalid_setting)) == exit_code::usage));
  BOOST_TEST((code_of(error(errc::invalid_host_name)) == exit_code::usage));
  BOOST_TEST((code_of(error(errc::key_mismatch)) == exit_code::failed));
  BOOST_TEST((code_of(error(boost::asio::error::connection_refused)) == exit_code::failed));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::tool
