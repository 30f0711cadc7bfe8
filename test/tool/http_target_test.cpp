// Where a request's target leads: never out of the root.

#include "http_target.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace cotls::tool {
namespace {

std::string path(std::string_view target) { return decode_target(target).value_or("refused"); }

}  // namespace

BOOST_AUTO_TEST_SUITE(http_targets)

BOOST_AUTO_TEST_CASE(a_path_is_decoded) {
  BOOST_TEST(path("/") == "/");
  BOOST_TEST(path("/a/b.html") == "/a/b.html");
  BOOST_TEST(path("/a%20b/%C3%bc%2B") == "/a b/\xc3\xbc+");
  BOOST_TEST(path("/a+b") == "/a+b");
  BOOST_TEST(path("/dir/") == "/dir/");
}

BOOST_AUTO_TEST_CASE(a_query_is_no_part_of_it) {
  BOOST_TEST(path("/a?b=/../c") == "/a");
  BOOST_TEST(path("/?") == "/");
  BOOST_TEST(path("/a%3Fb") == "/a?b");
}

BOOST_AUTO_TEST_CASE(an_absolute_form_names_the_same) {
  BOOST_TEST(path("https://example.org/a?b") == "/a");
  BOOST_TEST(path("HTTP://example.org:80") == "/");
  BOOST_TEST(path("https://example.org?a") == "/");
  for (char const* bad : {"https://", "https:///a", "ftp://example.org/a", "https:/a"}) {
    BOOST_TEST(path(bad) == "refused", bad);
  }
}

BOOST_AUTO_TEST_CASE(dots_are_resolved) {
  BOOST_TEST(path("/a/./b") == "/a/b");
  BOOST_TEST(path("/a/../b") == "/b");
  BOOST_TEST(path("/a/..") == "/");
  BOOST_TEST(path("/a/.") == "/a/");
  BOOST_TEST(path("//a///b") == "/a/b");
  BOOST_TEST(path("/a/b/../../c/") == "/c/");
  BOOST_TEST(path("/...") == "/...");
  BOOST_TEST(path("/a..b") == "/a..b");
}

BOOST_AUTO_TEST_CASE(the_root_cannot_be_left) {
  for (char const* out : {"/..", "/../etc/passwd", "/a/../../b", "/%2e%2e/b", "/%2E./b",
                          "/a/%2e%2e/%2e%2e/b", "/..%2fetc", "//..", "/./..",
                          "https://h/../a"}) {
    BOOST_TEST(path(out) == "refused", out);
  }
  BOOST_TEST(path("/%252e%252e/b") == "/%2e%2e/b");   // decoded once, and no more
  BOOST_TEST(path("/..\\..\\b") == "/..\\..\\b");     // an ordinary name here
}

BOOST_AUTO_TEST_CASE(what_is_malformed_is_refused) {
  for (char const* bad : {"", "a", "*", "?a", "/a#b", "/%", "/%4", "/%4g", "/%g4", "/%+1", "/%-1",
                          "/%0", "/%00", "/a%00.html", "/% 1", "h:443"}) {
    BOOST_TEST(path(bad) == "refused", bad);
  }
}

BOOST_AUTO_TEST_CASE(a_path_is_written_so_that_it_reads_the_same) {
  BOOST_TEST(encode_path("/a b/\xc3\xbc?#%\r\n") == "/a%20b/%C3%BC%3F%23%25%0D%0A");
  BOOST_TEST(path(encode_path("/a b/\xc3\xbc?#%")) == "/a b/\xc3\xbc?#%");
}

BOOST_AUTO_TEST_CASE(what_begins_with_a_dot_is_hidden) {
  for (char const* hidden : {"/.git/config", "/.env", "/a/.htpasswd", "/.a/b"}) {
    BOOST_TEST(is_hidden(hidden), hidden);
  }
  for (char const* shown : {"/", "/a.b", "/.well-known/acme-challenge/x", "/a./b"}) {
    BOOST_TEST(!is_hidden(shown), shown);
  }
}

BOOST_AUTO_TEST_CASE(the_extension_says_what_it_is) {
  BOOST_TEST(media_type("/index.html") == "text/html; charset=utf-8");
  BOOST_TEST(media_type("/A.PNG") == "image/png");
  BOOST_TEST(media_type("/a.tar.zip") == "application/zip");
  for (char const* unknown : {"/a", "/a.", "/a.unknown", "/a.html/b", "/html"}) {
    BOOST_TEST(media_type(unknown) == "application/octet-stream", unknown);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::tool
