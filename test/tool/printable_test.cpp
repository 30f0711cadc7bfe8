// What a peer says, on its way to a terminal.

#include "printable.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace cotls::tool {

BOOST_AUTO_TEST_SUITE(printable_text)

BOOST_AUTO_TEST_CASE(text_stays_as_it_is) {
  for (char const* text : {"", "CN=localhost", "Gr\xc3\xbc\xc3\x9f" "e", "\xe2\x82\xac",
                           "\xf0\x9f\x94\x92", "\xc2\xa0", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf"}) {
    BOOST_TEST(printable(text) == text);
  }
}

BOOST_AUTO_TEST_CASE(a_terminal_is_given_nothing_to_obey) {
  BOOST_TEST(printable("a\x1b[2Jb") == "a\\x1b[2Jb");
  BOOST_TEST(printable("a\r\nb\tc") == "a\\x0d\\x0ab\\x09c");
  BOOST_TEST(printable(std::string_view("\0\x7f", 2)) == "\\x00\\x7f");
  BOOST_TEST(printable("\xc2\x9b") == "\\xc2\\x9b");   // CSI of the C1 controls
}

// A name would look like another, or like itself in another order.
BOOST_AUTO_TEST_CASE(what_is_not_seen_is_shown) {
  BOOST_TEST(printable("a\xe2\x80\xae" "b") == "a\\xe2\\x80\\xaeb");   // right-to-left override
  for (char const* hidden :
       {"\xc2\xad",           // soft hyphen
        "\xcd\x8f",           // combining grapheme joiner
        "\xd8\x9c",           // Arabic letter mark
        "\xe1\x85\xa0",       // Hangul filler
        "\xe2\x80\x8b",       // zero width space
        "\xe2\x80\x8f",       // right-to-left mark
        "\xe2\x80\xa8",       // line separator
        "\xe2\x80\xaa", "\xe2\x80\xae",   // the first and last of embeddings and overrides
        "\xe2\x81\xa6", "\xe2\x81\xa9",   // of isolates
        "\xe3\x85\xa4",       // a filler again
        "\xef\xb8\x8f",       // variation selector
        "\xef\xbb\xbf",       // byte order mark
        "\xf3\xa0\x80\x81", "\xf3\xa0\x81\xbf"}) {   // tags
    std::string const shown = printable(hidden);
    BOOST_TEST(shown.starts_with("\\x"), shown);
    BOOST_TEST(shown.size() == 4 * std::string(hidden).size());
  }
}

BOOST_AUTO_TEST_CASE(what_is_beside_it_is_not_touched) {
  for (char const* seen : {"\xc2\xac", "\xc2\xae", "\xe2\x80\x90", "\xe2\x80\xa7", "\xe2\x80\xaf",
                           "\xe2\x81\x9f", "\xe2\x81\xb0", "\xef\xb8\x90", "\xef\xbf\xbc",
                           "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"}) {
    BOOST_TEST(printable(seen) == seen);
  }
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_utf8_are_named) {
  BOOST_TEST(printable("\xff") == "\\xff");
  BOOST_TEST(printable("\xc3") == "\\xc3");                       // cut
  BOOST_TEST(printable("\xe2\x82") == "\\xe2\\x82");              // cut
  BOOST_TEST(printable("\xf0\x9f\x94") == "\\xf0\\x9f\\x94");     // cut
  BOOST_TEST(printable("\xc0\x80") == "\\xc0\\x80");              // overlong
  BOOST_TEST(printable("\xe0\x80\x80") == "\\xe0\\x80\\x80");     // overlong
  BOOST_TEST(printable("\xf0\x80\x80\x80") == "\\xf0\\x80\\x80\\x80");   // overlong
  BOOST_TEST(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");     // a surrogate
  BOOST_TEST(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");   // beyond Unicode
  BOOST_TEST(printable("\xf5\x80\x80\x80") == "\\xf5\\x80\\x80\\x80");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::tool
