// Conditional requests, ranges, and the dates they hold.

#include "http_conditions.hpp"
#include "http_date.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace cotls::tool {
namespace {

constexpr std::time_t changed = 784111777;
constexpr char date[] = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr char before[] = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr char after[] = "Sun, 06 Nov 1994 08:49:38 GMT";

file_version file_of(std::uint64_t size) {
  file_version made;
  made.tag = "\"v1\"";
  made.changed = changed;
  made.size = size;
  return made;
}

http_request with(std::vector<http_request::field> fields) {
  http_request made;
  made.fields = std::move(fields);
  return made;
}

unsigned judged(std::vector<http_request::field> fields) {
  auto const status = judge_conditions(with(std::move(fields)), file_of(100));
  return static_cast<unsigned>(status.value_or(http_status::ok));
}

// "first+length", "whole" or "unsatisfiable".
std::string range(std::vector<http_request::field> fields, std::uint64_t size = 100) {
  range_request const found = find_range(with(std::move(fields)), file_of(size));
  switch (found.what) {
    case range_request::kind::whole: return "whole";
    case range_request::kind::unsatisfiable: return "unsatisfiable";
    case range_request::kind::part: break;
  }
  return std::to_string(found.part.first) + "+" + std::to_string(found.part.length);
}

std::string range(std::string const& text, std::uint64_t size = 100) {
  return range(std::vector<http_request::field>{{"Range", text}}, size);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_conditions)

BOOST_AUTO_TEST_CASE(a_date_is_written_in_one_form_and_read_in_three) {
  BOOST_TEST(http_date(changed) == date);
  BOOST_TEST(parse_http_date(date).value() == changed);
  BOOST_TEST(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT").value() == changed);
  BOOST_TEST(parse_http_date("Sun Nov  6 08:49:37 1994").value() == changed);
  for (char const* bad : {"", "now", "0", "Sun, 06 Nov 1994 08:49:37", "06 Nov 1994",
                          "Sun, 06 Nov 1994 08:49:37 GMT+1", "Sun, 99 Nov 1994 08:49:37 GMT"}) {
    BOOST_TEST(!parse_http_date(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(a_client_that_has_the_file_is_not_sent_it_again) {
  BOOST_TEST(judged({}) == 200u);
  BOOST_TEST(judged({{"If-None-Match", "\"v1\""}}) == 304u);
  BOOST_TEST(judged({{"If-None-Match", "\"v0\", W/\"v1\""}}) == 304u);
  BOOST_TEST(judged({{"If-None-Match", "*"}}) == 304u);
  BOOST_TEST(judged({{"If-None-Match", "\"v2\""}}) == 200u);
  BOOST_TEST(judged({{"If-None-Match", "v1"}}) == 200u);
  BOOST_TEST(judged({{"If-None-Match", "\"v1"}}) == 200u);
  BOOST_TEST(judged({{"If-Modified-Since", date}}) == 304u);
  BOOST_TEST(judged({{"If-Modified-Since", after}}) == 304u);
  BOOST_TEST(judged({{"If-Modified-Since", before}}) == 200u);
  BOOST_TEST(judged({{"If-Modified-Since", "yesterday"}}) == 200u);
}

BOOST_AUTO_TEST_CASE(the_tag_is_asked_before_the_date) {
  BOOST_TEST(judged({{"If-None-Match", "\"v2\""}, {"If-Modified-Since", after}}) == 200u);
  BOOST_TEST(judged({{"If-Match", "\"v1\""}, {"If-Unmodified-Since", before}}) == 200u);
}

// RFC 9110 section 5.3.
BOOST_AUTO_TEST_CASE(a_list_of_several_lines_is_one_list) {
  BOOST_TEST(judged({{"If-None-Match", "\"v0\""}, {"If-None-Match", "\"v1\""}}) == 304u);
  BOOST_TEST(judged({{"If-None-Match", "\"v1\""}, {"if-none-match", "\"v2\""}}) == 304u);
  BOOST_TEST(judged({{"If-None-Match", "\"v0\""}, {"If-None-Match", "\"v2\""}}) == 200u);
  BOOST_TEST(judged({{"If-Match", "\"v0\""}, {"If-Match", "\"v1\""}}) == 200u);
  BOOST_TEST(judged({{"If-Match", "\"v0\""}, {"If-Match", "\"v2\""}}) == 412u);
  BOOST_TEST(judged({{"If-None-Match", "\"v0\""},
                     {"If-None-Match", "\"v2\""},
                     {"If-Modified-Since", after}}) == 200u);
}

BOOST_AUTO_TEST_CASE(any_version_is_named_by_a_star_alone) {
  BOOST_TEST(judged({{"If-Match", "\"v0\", *"}}) == 412u);
  BOOST_TEST(judged({{"If-None-Match", "\"v0\", *"}}) == 200u);
}

BOOST_AUTO_TEST_CASE(a_client_that_wants_another_version_is_told) {
  BOOST_TEST(judged({{"If-Match", "\"v1\""}}) == 200u);
  BOOST_TEST(judged({{"If-Match", "*"}}) == 200u);
  BOOST_TEST(judged({{"If-Match", "\"v2\""}}) == 412u);
  BOOST_TEST(judged({{"If-Match", "W/\"v1\""}}) == 412u);
  BOOST_TEST(judged({{"If-Unmodified-Since", before}}) == 412u);
  BOOST_TEST(judged({{"If-Unmodified-Since", date}}) == 200u);
}

BOOST_AUTO_TEST_CASE(a_part_is_found) {
  BOOST_TEST(range("bytes=0-0") == "0+1");
  BOOST_TEST(range("bytes=10-19") == "10+10");
  BOOST_TEST(range("Bytes=10-19") == "10+10");
  BOOST_TEST(range("bytes=10-") == "10+90");
  BOOST_TEST(range("bytes=99-99") == "99+1");
  BOOST_TEST(range("bytes=-1") == "99+1");
  BOOST_TEST(range("bytes=-1000") == "0+100");
  BOOST_TEST(range("bytes=10-99999999999999999999999") == "10+90");
  BOOST_TEST(range("bytes=0-18446744073709551615") == "0+100");
}

BOOST_AUTO_TEST_CASE(a_part_beyond_the_end_cannot_be_had) {
  BOOST_TEST(range("bytes=100-") == "unsatisfiable");
  BOOST_TEST(range("bytes=100-200") == "unsatisfiable");
  BOOST_TEST(range("bytes=18446744073709551616-") == "unsatisfiable");
  BOOST_TEST(range("bytes=-0") == "unsatisfiable");
  BOOST_TEST(range("bytes=0-", 0) == "unsatisfiable");
  BOOST_TEST(range("bytes=-5", 0) == "unsatisfiable");
}

BOOST_AUTO_TEST_CASE(what_is_no_part_asks_for_the_whole) {
  for (char const* text : {"", "bytes", "bytes=", "bytes=-", "bytes=5", "bytes=5-4", "bytes=a-b",
                           "bytes=0-1,3-4", "bytes=--1", "bytes=1-+2", "bytes= 1-2", "lines=1-2",
                           "BYTES=0-1x"}) {
    BOOST_TEST(range(text) == "whole", text);
  }
  BOOST_TEST(range({{"Range", "bytes=0-1"}, {"Range", "bytes=0-1"}}) == "whole");
}

BOOST_AUTO_TEST_CASE(a_part_of_another_version_is_not_sent) {
  http_request::field const part{"Range", "bytes=0-1"};
  BOOST_TEST(range({part, {"If-Range", "\"v1\""}}) == "0+2");
  BOOST_TEST(range({part, {"If-Range", date}}) == "0+2");
  BOOST_TEST(range({part, {"If-Range", "\"v2\""}}) == "whole");
  BOOST_TEST(range({part, {"If-Range", "W/\"v1\""}}) == "whole");
  BOOST_TEST(range({part, {"If-Range", after}}) == "whole");
  BOOST_TEST(range({part, {"If-Range", ""}}) == "whole");
  BOOST_TEST(range({part, {"If-Range", "\"v1\""}, {"If-Range", "\"v2\""}}) == "whole");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::tool
