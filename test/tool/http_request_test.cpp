// Requests of HTTP/1.1, as they should be and as they should not.

#include "http_request.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace cotls::tool {

std::ostream& operator<<(std::ostream& out, http_status status) {
  return out << static_cast<unsigned>(status);
}

std::ostream& operator<<(std::ostream& out, parsed_request::state what) {
  return out << static_cast<unsigned>(what);
}

namespace {

using state = parsed_request::state;
namespace data = boost::unit_test::data;

std::string with_host(std::string const& line, std::string const& fields = {}) {
  return line + "\r\nHost: localhost\r\n" + fields + "\r\n";
}

http_request parsed(std::string const& bytes) {
  parsed_request const made = parse_request(bytes);
  BOOST_TEST_REQUIRE(made.what == state::complete, bytes);
  return made.request;
}

// Returns why it is refused; 200 when it is not.
http_status refusal(std::string const& bytes) {
  parsed_request const made = parse_request(bytes);
  return made.what == state::refused ? made.status : http_status::ok;
}

http_status refusal_of_fields(std::string const& fields) {
  return refusal(with_host("GET / HTTP/1.1", fields));
}

struct bad_input {
  char const* what;
  std::string bytes;
};

std::ostream& operator<<(std::ostream& out, bad_input const& one) { return out << one.what; }

std::string const host = "\r\nHost: h\r\n\r\n";

std::vector<bad_input> const bad_requests{
    {"no method", " / HTTP/1.1" + host},
    {"no target", "GET HTTP/1.1" + host},
    {"an empty target", "GET  HTTP/1.1" + host},
    {"two spaces", "GET  / HTTP/1.1" + host},
    {"a target with a space", "GET /a b HTTP/1.1" + host},
    {"a tab for a space", "GET\t/\tHTTP/1.1" + host},
    {"HTTP/0.9", "GET /\r\n\r\n"},
    {"no version", "GET / \r\nHost: h\r\n\r\n"},
    {"a version in small letters", "GET / http/1.1" + host},
    {"a long version", "GET / HTTP/1.10" + host},
    {"white space behind the version", "GET / HTTP/1.1 " + host},
    {"white space before the method", " GET / HTTP/1.1" + host},
    {"a method that is no token", "GE(T / HTTP/1.1" + host},
    {"a target beyond ASCII", "GET /\xc3\xbc HTTP/1.1" + host},
    {"a NUL in the target", std::string("GET /\0 HTTP/1.1", 15) + host},
    {"a CR in the request line", "GET /\r HTTP/1.1" + host},
    {"TLS inside TLS", "\x16\x03\x01\x02\n" + host},
    {"no host", "GET / HTTP/1.1\r\n\r\n"},
    {"two hosts", with_host("GET / HTTP/1.1", "Host: other\r\n")},
    {"two hosts in HTTP/1.0", with_host("GET / HTTP/1.0", "Host: other\r\n")},
    {"a list of hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"},
    {"a host with a user", "GET / HTTP/1.1\r\nHost: user@h\r\n\r\n"},
    {"a host with a path", "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n"},
    {"white space before a colon", with_host("GET / HTTP/1.1", "Range : bytes=0-1\r\n")},
    {"a field without a colon", with_host("GET / HTTP/1.1", "Range\r\n")},
    {"a field without a name", with_host("GET / HTTP/1.1", ": value\r\n")},
    {"a folded field", with_host("GET / HTTP/1.1", "A: b\r\n c\r\n")},
    {"a first field that is folded", "GET / HTTP/1.1\r\n Host: h\r\n\r\n"},
    {"a CR in a field", with_host("GET / HTTP/1.1", "A: b\rc: d\r\n")},
    {"a NUL in a field", with_host("GET / HTTP/1.1", std::string("A: b\0\r\n", 7))},
    {"an escape in a field", with_host("GET / HTTP/1.1", "A: \x1b[2J\r\n")},
    {"a name beyond ASCII", with_host("GET / HTTP/1.1", "\xc3\xbc: b\r\n")},
    {"two lengths", with_host("GET / HTTP/1.1", "Content-Length: 1\r\nContent-Length: 2\r\n")},
    {"one length twice", with_host("GET / HTTP/1.1", "Content-Length: 1\r\nContent-Length: 1\r\n")},
    {"a list of lengths", with_host("GET / HTTP/1.1", "Content-Length: 1, 1\r\n")},
    {"a negative length", with_host("GET / HTTP/1.1", "Content-Length: -1\r\n")},
    {"a length with a sign", with_host("GET / HTTP/1.1", "Content-Length: +1\r\n")},
    {"a hexadecimal length", with_host("GET / HTTP/1.1", "Content-Length: 0x1\r\n")},
    {"an empty length", with_host("GET / HTTP/1.1", "Content-Length:\r\n")},
    {"a length beyond 64 bits",
     with_host("GET / HTTP/1.1", "Content-Length: 99999999999999999999\r\n")},
    {"a length and a coding",
     with_host("POST / HTTP/1.1", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")},
    {"a coding in HTTP/1.0", with_host("POST / HTTP/1.0", "Transfer-Encoding: chunked\r\n")},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(http_requests)

BOOST_AUTO_TEST_CASE(a_request_is_taken_apart) {
  http_request const request =
      parsed("GET /a?b=c HTTP/1.1\r\nHost: localhost:8443\r\nX-One:\t 1 2 \t\r\nempty:\r\n\r\n");
  BOOST_TEST(request.method == "GET");
  BOOST_TEST(request.target == "/a?b=c");
  BOOST_TEST(request.minor_version == 1);
  BOOST_TEST(request.value_of("HOST").value() == "localhost:8443");
  BOOST_TEST(request.value_of("x-one").value() == "1 2");
  BOOST_TEST(request.value_of("Empty").value() == "");
  BOOST_TEST(!request.value_of("x-two").has_value());
  BOOST_TEST(request.keep_alive);
  BOOST_TEST(!request.has_content);
}

BOOST_AUTO_TEST_CASE(it_may_come_byte_by_byte) {
  std::string const whole = with_host("HEAD /x HTTP/1.1", "Range: bytes=0-1\r\n");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    BOOST_TEST(parse_request(whole.substr(0, size)).what == state::incomplete, size);
  }
  parsed_request const made = parse_request(whole);
  BOOST_TEST(made.what == state::complete);
  BOOST_TEST(made.size == whole.size());
}

BOOST_AUTO_TEST_CASE(what_follows_it_is_left_alone) {
  std::string const first = with_host("GET /1 HTTP/1.1");
  std::string const second = with_host("GET /2 HTTP/1.1");
  parsed_request const made = parse_request(first + second);
  BOOST_TEST(made.size == first.size());
  BOOST_TEST(made.request.target == "/1");
  BOOST_TEST(parsed((first + second).substr(made.size)).target == "/2");
}

BOOST_AUTO_TEST_CASE(a_bare_lf_ends_a_line) {
  parsed_request const made = parse_request("GET / HTTP/1.1\nHost: h\n\nrest");
  BOOST_TEST(made.what == state::complete);
  BOOST_TEST(made.size == 24u);
}

BOOST_AUTO_TEST_CASE(empty_lines_before_it_are_skipped_but_not_for_ever) {
  BOOST_TEST(parsed("\r\n\r\n" + with_host("GET / HTTP/1.1")).method == "GET");
  std::string lines;
  while (lines.size() <= max_request_head) lines += "\r\n";
  BOOST_TEST((parse_request(lines + lines).what == state::refused));
}

BOOST_AUTO_TEST_CASE(the_connection_goes_on_when_both_versions_say_so) {
  BOOST_TEST(parsed(with_host("GET / HTTP/1.1")).keep_alive);
  BOOST_TEST(!parsed(with_host("GET / HTTP/1.1", "Connection: close\r\n")).keep_alive);
  BOOST_TEST(!parsed(with_host("GET / HTTP/1.1", "connection: TE, CLOSE\r\n")).keep_alive);
  BOOST_TEST(!parsed(with_host("GET / HTTP/1.1", "Connection: a\r\nConnection: close\r\n"))
                  .keep_alive);
  BOOST_TEST(!parsed("GET / HTTP/1.0\r\n\r\n").keep_alive);
  BOOST_TEST(parsed("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
  BOOST_TEST(!parsed("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n").keep_alive);
}

BOOST_AUTO_TEST_CASE(a_later_version_of_1_is_answered_as_1_1) {
  http_request const request = parsed(with_host("GET / HTTP/1.2"));
  BOOST_TEST(request.minor_version == 1);
  BOOST_TEST(request.keep_alive);
}

BOOST_AUTO_TEST_CASE(content_that_follows_is_known_of) {
  BOOST_TEST(parsed(with_host("POST / HTTP/1.1", "Content-Length: 3\r\n")).has_content);
  BOOST_TEST(!parsed(with_host("POST / HTTP/1.1", "Content-Length: 0\r\n")).has_content);
  BOOST_TEST(parsed(with_host("POST / HTTP/1.1", "Transfer-Encoding: Chunked\r\n")).has_content);
}

BOOST_AUTO_TEST_CASE(a_repeated_field_has_no_single_value) {
  http_request const request = parsed(with_host("GET / HTTP/1.1", "A: 1\r\na: 2\r\n"));
  BOOST_TEST(!request.value_of("A").has_value());
  BOOST_TEST((request.list("a") == std::vector<std::string>{"1", "2"}));
}

BOOST_AUTO_TEST_CASE(a_list_has_its_members) {
  http_request const request = parsed(with_host("GET / HTTP/1.1", "A: One,,\ttwo ,\r\n"));
  BOOST_TEST((request.list("a") == std::vector<std::string>{"one", "two"}));
  BOOST_TEST(request.list("b").empty());
}

BOOST_DATA_TEST_CASE(it_is_refused, data::make(bad_requests), bad) {
  BOOST_TEST(refusal(bad.bytes) == http_status::bad_request);
}

BOOST_AUTO_TEST_CASE(what_is_not_known_is_told_apart_from_what_is_wrong) {
  BOOST_TEST(refusal("GET / HTTP/2.0" + host) == http_status::version_not_supported);
  BOOST_TEST(refusal("GET / HTTP/0.9" + host) == http_status::version_not_supported);
  BOOST_TEST(refusal("BREW / HTTP/1.1" + host) == http_status::not_implemented);
  BOOST_TEST(refusal("get / HTTP/1.1" + host) == http_status::not_implemented);
  BOOST_TEST(refusal_of_fields("Transfer-Encoding: gzip, chunked\r\n") ==
             http_status::not_implemented);
  BOOST_TEST(refusal_of_fields("Transfer-Encoding: chunked, chunked\r\n") ==
             http_status::not_implemented);
}

BOOST_AUTO_TEST_CASE(it_is_refused_as_soon_as_it_is_known_to_be_bad) {
  BOOST_TEST((parse_request("nonsense\r\n").what == state::refused));
  BOOST_TEST((parse_request("GET / HTTP/1.1\r\nbad field\r\n").what == state::refused));
}

BOOST_AUTO_TEST_CASE(a_request_line_has_a_limit) {
  std::string const around = "GET  HTTP/1.1";
  std::string const target = "/" + std::string(max_request_line - around.size() - 1, 'a');
  BOOST_TEST(parsed(with_host("GET " + target + " HTTP/1.1")).target == target);
  BOOST_TEST(refusal(with_host("GET " + target + "a HTTP/1.1")) == http_status::uri_too_long);
  BOOST_TEST(refusal(std::string(max_request_line, 'a')) == http_status::ok);   // not yet
  BOOST_TEST(refusal(std::string(max_request_line + 1, 'a')) == http_status::uri_too_long);
}

BOOST_AUTO_TEST_CASE(a_head_has_a_limit) {
  std::string const around = with_host("GET / HTTP/1.1", "A: \r\n");
  std::string const most(max_request_head - around.size(), 'a');
  BOOST_TEST(parsed(with_host("GET / HTTP/1.1", "A: " + most + "\r\n")).fields.size() == 2u);
  BOOST_TEST(refusal_of_fields("A: " + most + "a\r\n") == http_status::fields_too_large);
  std::string const endless = "GET / HTTP/1.1\r\nA: " + std::string(max_request_head, 'a');
  BOOST_TEST(refusal(endless) == http_status::fields_too_large);
}

BOOST_AUTO_TEST_CASE(fields_have_a_limit) {
  std::string most;
  for (std::size_t i = 1; i < max_request_fields; ++i) most += "a:\r\n";
  BOOST_TEST(refusal_of_fields(most) == http_status::ok);
  BOOST_TEST(refusal_of_fields(most + "a:\r\n") == http_status::fields_too_large);
}

// Any byte, anywhere: never out of bounds, and never complete with more than was given.
BOOST_AUTO_TEST_CASE(any_byte_may_be_any_other) {
  std::string const whole = with_host("GET /a HTTP/1.1", "Range: bytes=0-1\r\n");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = whole;
      changed[at] = static_cast<char>(byte);
      parsed_request const made = parse_request(changed);
      bool const sound = made.what != state::complete || made.size <= changed.size();
      if (!sound) BOOST_ERROR("byte " << byte << " at " << at);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::tool
