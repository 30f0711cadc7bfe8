// Where to connect to, and where to listen, as people write it.

#include "host_port.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace cotls::tool {
namespace {

std::string connecting(std::string_view text) {
  auto const parsed = parse_host_port(text);
  return parsed ? parsed->host() + " " + std::to_string(parsed->port()) : "refused";
}

std::string listening(std::string_view text) {
  auto const parsed = parse_listening_address(text);
  return parsed ? parsed->host() + " " + std::to_string(parsed->port()) : "refused";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(host_and_port)

BOOST_AUTO_TEST_CASE(a_host_may_have_a_port) {
  BOOST_TEST(connecting("example.org:8443") == "example.org 8443");
  BOOST_TEST(connecting("example.org") == "example.org 443");
  BOOST_TEST(connecting("192.0.2.1:1") == "192.0.2.1 1");
  BOOST_TEST(connecting("h:65535") == "h 65535");
}

BOOST_AUTO_TEST_CASE(an_ipv6_address_with_a_port_is_in_brackets) {
  BOOST_TEST(connecting("[::1]:8443") == "::1 8443");
  BOOST_TEST(connecting("[2001:db8::1]") == "2001:db8::1 443");
  BOOST_TEST(connecting("::1") == "::1 443");
  BOOST_TEST(connecting("2001:db8::1:8443") == "2001:db8::1:8443 443");
}

BOOST_AUTO_TEST_CASE(what_is_neither_is_refused) {
  for (char const* text :
       {"", ":443", "h:", "h:0", "h:65536", "h:443x", "h:-1", "h:+1", "h: 1", "h:https", "a:b:c",
        "[::1", "[::1]443", "[::1]:", "[h]:443", "[]:443", "[192.0.2.1]:443"}) {
    BOOST_TEST(connecting(text) == "refused", text);
  }
}

BOOST_AUTO_TEST_CASE(a_port_alone_listens_to_this_machine_only) {
  BOOST_TEST(listening("8443") == "127.0.0.1 8443");
  BOOST_TEST(listening("0") == "127.0.0.1 0");
}

BOOST_AUTO_TEST_CASE(an_address_says_who_else_is_listened_to) {
  BOOST_TEST(listening("0.0.0.0:8443") == "0.0.0.0 8443");
  BOOST_TEST(listening("[::]:0") == ":: 0");
  BOOST_TEST(listening("localhost:8443") == "127.0.0.1 8443");
}

BOOST_AUTO_TEST_CASE(only_an_address_can_be_listened_to) {
  for (char const* text : {"", "example.org:8443", "localhost", ":8443", "127.0.0.1", "65536", "::",
                           "[::]", "-1", "127.0.0.1:", "*:1"}) {
    BOOST_TEST(listening(text) == "refused", text);
  }
}

BOOST_AUTO_TEST_CASE(it_is_written_as_it_is_read) {
  BOOST_TEST(host_port("::1", 443).text() == "[::1]:443");
  BOOST_TEST(host_port("example.org", 443).text() == "example.org:443");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::tool
