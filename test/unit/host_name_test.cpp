// Whom a client means: one strict reading of a host, by which it is verified, too.

#include "engine_pair.hpp"
#include "identity/host_name.hpp"
#include "pki.hpp"
#include "print.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/opensslv.h>

#include <string>
#include <vector>

namespace cotls::test::host_name_test {
namespace {

namespace data = boost::unit_test::data;
using detail::host_name;

std::string const label_of_63(63, 'a');

std::vector<std::string> const names{
    "localhost", "ab",         "A.Test",        "xn--bcher-kva.example",
    "3com.com",  "a1.b2.c3",   "my_service",    "_dns.resolver.arpa",
    "0x.test",   "1e3.x1",     label_of_63,     label_of_63 + '.' + label_of_63,
    "a--b.c-d",  "10.0.0.1.x", "r3---sn-x.test"};

std::vector<std::string> const addresses{"127.0.0.1", "0.0.0.0",    "255.255.255.255", "10.0.0.1",
                                         "::",        "::1",        "2001:DB8::a:1",   "1:2:3:4:5:6:7:8",
                                         "0:0:0:0:0:0:0:1",         "::ffff:192.0.2.1"};

std::vector<std::string> const neither{
    "", ".", "..", "a..", "a..b", ".com", ".a.com", "*.a.com", "*", "-a", "a-", "a.-b", "a.b-.c",
    "a b", " a", "a ", "a\n", "a\t", "a/b", "a@b", "a:80", "a,b", "a%b", "z\xc3\xb6.test",
    std::string("a\0b", 3), std::string("a\0", 2), std::string(64, 'a'), std::string(300, 'a'),
    label_of_63 + '.' + label_of_63 + '.' + label_of_63 + '.' + label_of_63};

// What one or another of inet_aton, sscanf and inet_pton takes for an address, or for a name.
std::vector<std::string> const ambiguous{
    "10.0.0.1 x", " 127.0.0.1", "127.0.0.1 ", "+127.0.0.1", "-127.0.0.1", "010.0.0.1", "127.0.0.01",
    "127.1", "127.0.1", "1", "2130706433", "0x7f.1", "0x7f000001", "127.0.0.0x1", "a.0x", "127.0.0.1.",
    "127.0.0.256", "256.0.0.1", "1.2.3.4.5", "1.2.3.", "1..2.3", "127.0.0.1\n", "a.1", "a.1.",
    std::string("127.0.0.1\0x", 11), "1e1.1", "[::1]", "::1 ", " ::1", ":::", "::1::", "1:2:3",
    "::1.2.3", "::ffff:010.0.0.1", "::g", "::1%", "::1% x", "::1%a%b", "%lo", "127.0.0.1%lo",
    std::string("::1\0", 4)};

error_code code_of_connecting(std::string const& host) {
  try {
    engine const made(client_context(), client_options().host(host));
    return {};
  } catch (error const& thrown) {
    return thrown.code();
  }
}

authority const& root() {
  static authority const made("root");
  return made;
}

// Whether a client that trusts the root, and asks for this host, accepts the certificate.
bool accepts(std::string const& host, issued const& shown) {
  engine_pair both(client_context().add_root(root().certificate()),
                   server_context().use(shown.identity()), client_options().host(host));
  bool const connected = both.connect();
  BOOST_TEST(both.client.peer().verified() == connected);
  BOOST_TEST(shown.leaf().matches(host) == connected);   // the same answer by itself
  return connected;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(host_names)

BOOST_DATA_TEST_CASE(a_name_is_read_as_a_name, data::make(names), text) {
  auto const read = host_name::parse(text);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(!read->address());
  BOOST_TEST(read->name() == text);
  BOOST_TEST(!code_of_connecting(text));
}

BOOST_AUTO_TEST_CASE(a_name_of_one_letter_is_a_name) {
  BOOST_TEST(host_name::parse("a").has_value());
  // OpenSSL 4 verifies no peer for it, and its user is told.
  error_code const expected =
      OPENSSL_VERSION_MAJOR < 4 ? error_code() : make_error_code(errc::unexpected_result);
  BOOST_TEST(code_of_connecting("a") == expected);
}

BOOST_DATA_TEST_CASE(an_address_is_read_as_the_address_it_is, data::make(addresses), text) {
  auto const read = host_name::parse(text);
  BOOST_REQUIRE(read.has_value());
  BOOST_REQUIRE(read->address().has_value());
  BOOST_TEST(*read->address() == asio::ip::make_address(text));
  BOOST_TEST(read->name() == "");
  BOOST_TEST(!code_of_connecting(text));
}

BOOST_DATA_TEST_CASE(what_is_neither_a_name_nor_an_address_is_refused,
                     data::make(neither) + data::make(ambiguous), text) {
  BOOST_TEST(!host_name::parse(text).has_value());
  BOOST_TEST((code_of_connecting(text) == (text.empty() ? errc::no_host_name
                                                        : errc::invalid_host_name)));
}

BOOST_AUTO_TEST_CASE(a_name_may_end_with_the_dot_of_the_root) {
  BOOST_TEST(host_name("a.test.").name() == "a.test");
}

BOOST_AUTO_TEST_CASE(a_name_beyond_ascii_is_refused_with_what_to_give_instead) {
  auto const words_of = [](std::string const& host) {
    try {
      engine const made(client_context(), client_options().host(host));
    } catch (error const& thrown) {
      return std::string(thrown.what());
    }
    return std::string();
  };
  BOOST_TEST(words_of("b\xc3\xbc" "cher.example").find("A-label, which begins with \"xn--\"") !=
             std::string::npos);
  BOOST_TEST(words_of("a b").find("A-label") == std::string::npos);
  BOOST_TEST(words_of("xn--bcher-kva.example") == "");
}

BOOST_AUTO_TEST_CASE(a_zone_belongs_to_what_is_connected_to_alone) {
  host_name const zoned("fe80::1%2");
  BOOST_TEST(zoned.has_zone());
  BOOST_TEST(zoned.address()->to_v6().scope_id() == 2u);
  BOOST_TEST(detail::octets_of(*zoned.address()) ==
             detail::octets_of(asio::ip::make_address("fe80::1")));
  BOOST_TEST(!host_name("fe80::1").has_zone());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(server_names)

BOOST_AUTO_TEST_CASE(a_name_among_the_alternative_names_is_accepted_and_no_other) {
  issued const shown = root().issue(certificate_request({"a.test", "*.b.test"}));
  for (char const* host : {"a.test", "A.TEST", "a.test.", "x.b.test"}) {
    BOOST_TEST(accepts(host, shown));
  }
  for (char const* host : {"b.test", "y.x.b.test", "xa.test", "x.a.test", "test"}) {
    BOOST_TEST(!accepts(host, shown));
  }
}

// RFC 9525 section 6.3: a wildcard is the whole leftmost label, and stands for one.
BOOST_AUTO_TEST_CASE(a_wildcard_stands_for_a_whole_leftmost_label_alone) {
  auto const holding = [](char const* name) {
    return root().issue(certificate_request({"x"}).alternative_names(std::string("DNS:") + name));
  };
  BOOST_TEST(accepts("xab.w.test", holding("*.w.test")));
  BOOST_TEST(accepts("XAB.W.TEST", holding("*.w.test")));
  for (char const* pattern : {"x*.w.test", "*b.w.test", "x*b.w.test", "xab.*.test", "*.*.test",
                              "**.w.test", "*", "*.test", "*.xab.w.test", "x*"}) {
    BOOST_TEST_CONTEXT(pattern) { BOOST_TEST(!accepts("xab.w.test", holding(pattern))); }
  }
  BOOST_TEST(!accepts("w.test", holding("*.w.test")));
}

BOOST_AUTO_TEST_CASE(of_several_acceptable_names_one_will_do) {
  auto const accepts_one_of = [](issued const& shown, std::vector<std::string> const& others) {
    client_options options = client_options().host("a.test");
    for (std::string const& other : others) options.also_accept(other);
    engine_pair both(client_context().add_root(root().certificate()),
                     server_context().use(shown.identity()), options);
    bool const connected = both.connect();
    BOOST_TEST(both.server.info().server_name == "a.test");
    BOOST_TEST(both.client.peer().verified() == connected);
    return connected;
  };
  issued const of_b = root().issue(certificate_request({"b.test"}));
  BOOST_TEST(accepts_one_of(of_b, {"b.test"}));
  BOOST_TEST(accepts_one_of(of_b, {"c.test", "B.TEST."}));
  BOOST_TEST(!accepts_one_of(of_b, {}));
  BOOST_TEST(!accepts_one_of(of_b, {"c.test", "xb.test"}));
  BOOST_TEST(accepts_one_of(root().issue(certificate_request({"a.test"})), {"b.test"}));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_accepted_instead_is_refused) {
  auto const code_of = [](char const* host, char const* other) {
    try {
      engine const made(client_context(), client_options().host(host).also_accept(other));
      return error_code();
    } catch (error const& thrown) {
      return thrown.code();
    }
  };
  BOOST_TEST(!code_of("a.test", "b.test"));
  for (char const* other : {"10.0.0.1", "::1", "*.test", "", "b test"}) {
    BOOST_TEST(code_of("a.test", other) == errc::invalid_host_name);
  }
  BOOST_TEST(code_of("10.0.0.1", "a.test") == errc::invalid_host_name);
  BOOST_TEST(code_of("", "a.test") == errc::no_host_name);
}

// A session that was made with more names than are acceptable now is not offered.
BOOST_AUTO_TEST_CASE(a_session_of_an_accepted_name_is_not_resumed_without_it) {
  client_context const client = client_context().add_root(root().certificate());
  server_context const server =
      server_context().use(root().issue(certificate_request({"b.test"})).identity());
  client_options const lenient = client_options().host("a.test").port(443).also_accept("b.test");
  for (bool resumed : {false, true}) {
    engine_pair both(client, server, lenient);
    BOOST_REQUIRE(both.connect());
    BOOST_TEST(both.client.info().resumed == resumed);
  }
  engine_pair strict(client, server, client_options().host("a.test").port(443));
  BOOST_TEST(!strict.connect());
}

BOOST_AUTO_TEST_CASE(a_refusal_says_which_names_the_certificate_has) {
  auto const words_of = [](char const* host, issued const& shown) {
    engine_pair both(client_context().add_root(root().certificate()),
                     server_context().use(shown.identity()), client_options().host(host));
    BOOST_TEST(!both.connect());
    return std::string(both.client.last_error().what());
  };
  auto const says = [](std::string const& words, char const* part) {
    BOOST_TEST(words.find(part) != std::string::npos, words);
  };
  issued const shown = root().issue(certificate_request({"a.test", "*.b.test", "10.0.0.1"}));
  says(words_of("c.test", shown), "is for another host name (depth 0, CN=a.test; it is for a.test, "
                                  "*.b.test, 10.0.0.1)");
  says(words_of("10.0.0.2", shown), "it is for a.test, *.b.test, 10.0.0.1)");
  says(words_of("c.test", root().issue(certificate_request({"c.test"}).alternative_names(""))),
       "it names no host)");
  std::vector<std::string> many;
  for (int i = 0; i < 12; ++i) many.push_back("n" + std::to_string(i) + ".test");
  says(words_of("c.test", root().issue(certificate_request(many))), "n9.test and 2 more)");
  says(words_of("c.test", root().issue(
                              certificate_request({"x"}).alternative_names("DNS:a\x1b[2J.test"))),
       "it is for a?[2J.test)");
}

BOOST_AUTO_TEST_CASE(an_address_among_the_alternative_names_is_accepted_however_it_is_written) {
  issued const shown = root().issue(certificate_request({"10.0.0.1", "::1", "fe80::1"}));
  for (char const* host : {"10.0.0.1", "::1", "0:0:0:0:0:0:0:1", "::1%lo", "fe80::1%1"}) {
    BOOST_TEST(accepts(host, shown));
  }
  for (char const* host : {"10.0.0.2", "::2", "::ffff:10.0.0.1"}) {
    BOOST_TEST(!accepts(host, shown));
  }
}

// RFC 9525 section 2: a common name is no identity, whatever stands beside it.
BOOST_AUTO_TEST_CASE(a_common_name_does_not_count) {
  for (char const* beside : {"", "email:a@b.test", "URI:https://a.test/", "IP:10.0.0.1",
                             "DNS:b.test"}) {
    BOOST_TEST(!accepts("a.test", root().issue(
                                      certificate_request({"a.test"}).alternative_names(beside))));
  }
  BOOST_TEST(!accepts("10.0.0.1", root().issue(
                                      certificate_request({"10.0.0.1"}).alternative_names(""))));
}

BOOST_AUTO_TEST_CASE(an_address_is_no_name_and_a_name_no_address) {
  auto const holding = [](char const* names) {
    return root().issue(certificate_request({"x"}).alternative_names(names));
  };
  BOOST_TEST(!accepts("10.0.0.1", holding("DNS:10.0.0.1")));
  BOOST_TEST(!accepts("10.0.0.1", holding("DNS:*.0.0.1")));
  BOOST_TEST(!accepts("::1", holding("DNS:::1")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::host_name_test
