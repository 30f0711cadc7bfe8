// Where a server is, as people write and paste it.

#include "server_argument.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace cotls::tool {
namespace {

std::string found(std::string_view text) {
  host_port const where = parse_server(text);
  return where.host() + " " + std::to_string(where.port());
}

std::string complaint(std::string_view text) {
  try {
    return "taken as " + found(text);
  } catch (malformed_argument const& wrong) {
    return wrong.what();
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(server_arguments)

BOOST_AUTO_TEST_CASE(a_host_and_a_port_are_taken_as_they_are) {
  BOOST_TEST(found("localhost:8443") == "localhost 8443");
  BOOST_TEST(found("example.org") == "example.org 443");
  BOOST_TEST(found("[::1]:8443") == "::1 8443");
  BOOST_TEST(found("::1") == "::1 443");
}

BOOST_AUTO_TEST_CASE(a_url_stands_for_its_host_and_port) {
  BOOST_TEST(found("https://example.org") == "example.org 443");
  BOOST_TEST(found("https://example.org/") == "example.org 443");
  BOOST_TEST(found("HTTPS://example.org:8443/a/b?c=http://d/#e") == "example.org 8443");
  BOOST_TEST(found("https://example.org:/") == "example.org 443");
  BOOST_TEST(found("https://example.org?a") == "example.org 443");
  BOOST_TEST(found("https://[2001:db8::1]:8443/") == "2001:db8::1 8443");
  BOOST_TEST(found("https://[2001:db8::1]/") == "2001:db8::1 443");
}

BOOST_AUTO_TEST_CASE(what_is_neither_is_explained) {
  BOOST_TEST(complaint("http://example.org/") ==
             "'http://example.org/' is no https URL, and TLS is all that is spoken here: give "
             "HOST[:PORT]");
  BOOST_TEST(complaint("example.org/a") == "'example.org/a' is no HOST[:PORT]: it has a path");
  BOOST_TEST(complaint("https://me@example.org/") ==
             "'https://me@example.org/' names a user, whom no part of TLS would ask for: give "
             "HOST[:PORT]");
  for (char const* text : {"https://", "https:///a", "https://:443/", "https://h:0/",
                           "https://h:99999/", "https://[::1/", "https://h:x/"}) {
    BOOST_TEST(complaint(text) == "'" + std::string(text) + "' is no https://HOST[:PORT]");
  }
  for (char const* text : {"", ":443", "h:", "h:0", "h:443x"}) {
    BOOST_TEST(complaint(text) == "'" + std::string(text) + "' is no HOST[:PORT]");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::tool
