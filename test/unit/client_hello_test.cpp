// What a hello tells beside what OpenSSL does, and the fingerprint of its client.

#include "print.hpp"
#include "tls.hpp"

#include "engine/hello_layout.hpp"
#include "engine/hello_probe.hpp"
#include "openssl/openssl_ptr.hpp"

#include <cotls/client_hello.hpp>
#include <cotls/engine.hpp>

#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cotls::test::client_hello_test {

namespace {

using numbers = std::vector<std::uint16_t>;
using extension = std::pair<std::uint16_t, std::string>;

// A browser's offer, of which the fingerprint is published with its lists: "t13d1516h2_" and
// "_002f,0035,...". Its order is another, and it has GREASE in all its places.
numbers const browser_suites{0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030,
                             0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035};
numbers const browser_algorithms{0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601};
numbers const browser_extensions{0x2a2a, 0x0000, 0x0017, 0xff01, 0x000a, 0x000b,
                                 0x0023, 0x0010, 0x0005, 0x000d, 0x0012, 0x0033,
                                 0x002d, 0x002b, 0x001b, 0x4469, 0xfafa, 0x0015};
constexpr char const* browser_fingerprint = "t13d1516h2_8daaf6152771_e5627efa2ab1";

client_hello browser() {
  client_hello hello;
  hello.server_name = "localhost";
  hello.alpn = {"h2", "http/1.1"};
  hello.versions = {0xdada, 0x0304, 0x0303};
  hello.cipher_suites = browser_suites;
  hello.signature_algorithms = browser_algorithms;
  hello.extensions = browser_extensions;
  return hello;
}

std::string number(std::size_t value, int bytes) {
  std::string text;
  while (bytes-- > 0) text += static_cast<char>(value >> 8 * bytes & 0xff);
  return text;
}

std::string vector(std::string const& content, int bytes) {
  return number(content.size(), bytes) + content;
}

std::string list_of(numbers const& values) {
  std::string text;
  for (auto const each : values) text += number(each, 2);
  return text;
}

std::string const session_text(32, 's');

// A hello in one record (RFC 8446 section 4.1.2).
std::string hello_of(numbers const& suites, std::string const& extensions) {
  std::string const body = number(0x0303, 2) + std::string(32, 'r') + vector(session_text, 1) +
                           vector(list_of(suites), 2) + vector(std::string(1, '\0'), 1) +
                           extensions;
  return "\x16\x03\x01" + vector("\x01" + vector(body, 3), 2);
}

std::string body_of(std::uint16_t type) {
  switch (type) {
    case 0x0000: return vector(std::string(1, '\0') + vector("localhost", 2), 2);
    case 0x000a: return vector(list_of({0x3a3a, 0x001d, 0x0017}), 2);
    case 0x000b: return vector(std::string(1, '\0'), 1);
    case 0x000d: return vector(list_of(browser_algorithms), 2);
    case 0x0010: return vector(vector("h2", 1) + vector("http/1.1", 1), 2);
    case 0x002b: return vector(list_of({0xdada, 0x0304, 0x0303}), 1);
    default: return {};
  }
}

std::string extensions_of(numbers const& types) {
  std::string all;
  for (auto const type : types) all += number(type, 2) + vector(body_of(type), 2);
  return vector(all, 2);
}

std::string browser_bytes() { return hello_of(browser_suites, extensions_of(browser_extensions)); }

client_hello layout_of(std::string const& bytes) {
  client_hello hello;
  detail::read_layout(std::as_bytes(std::span(bytes)), hello);
  return hello;
}

client_hello read(std::string const& bytes) {
  detail::hello_probe probe;
  auto const received = std::as_bytes(std::span(bytes));
  BOOST_TEST_REQUIRE((probe.look(received).want == want::client_hello));
  client_hello hello = probe.take_hello();
  detail::read_layout(received, hello);
  return hello;
}

std::string in_records_of(std::size_t size, std::string const& one_record) {
  std::string const message = one_record.substr(5);
  std::string records;
  for (std::size_t at = 0; at < message.size(); at += size) {
    records += "\x16\x03\x01" + vector(message.substr(at, size), 2);
  }
  return records;
}

std::string hello_by_openssl() {
  engine client(localhost_client().set_alpn({"h2"}), client_options().host("localhost"));
  client.handshake();
  auto const output = client.output();
  return {static_cast<char const*>(output.data()), output.size()};
}

// What OpenSSL says of a hello, which leaves out what it does not know.
struct seen_by_openssl {
  numbers extensions;
  std::string session;

  explicit seen_by_openssl(std::string const& bytes) {
    detail::ssl_ctx_ptr const context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_client_hello_cb(context.get(), look, this);
    detail::ssl_ptr const ssl(SSL_new(context.get()));
    BIO* const in = BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()));
    SSL_set_bio(ssl.get(), in, BIO_new(BIO_s_mem()));
    SSL_accept(ssl.get());
  }

  static int look(SSL* ssl, int*, void* into) {
    auto& self = *static_cast<seen_by_openssl*>(into);
    int* types = nullptr;
    std::size_t count = 0;
    SSL_client_hello_get1_extensions_present(ssl, &types, &count);
    for (std::size_t i = 0; i < count; ++i) {
      self.extensions.push_back(static_cast<std::uint16_t>(types[i]));
    }
    OPENSSL_free(types);
    unsigned char const* id = nullptr;
    std::size_t const size = SSL_client_hello_get0_session_id(ssl, &id);
    self.session.assign(reinterpret_cast<char const*>(id), size);
    return SSL_CLIENT_HELLO_ERROR;
  }
};

std::string beginning(client_hello const& hello) { return hello.ja4().substr(0, 10); }

}  // namespace

BOOST_AUTO_TEST_SUITE(client_hellos)

BOOST_AUTO_TEST_CASE(the_fingerprint_of_a_browser_is_the_published_one) {
  BOOST_TEST(browser().ja4() == browser_fingerprint);
  client_hello later = browser();
  later.extensions = {0x002d, 0x0033, 0x0010, 0xfe0d, 0x0017, 0x44cd, 0x0000, 0x000b, 0x000a,
                      0x002b, 0xff01, 0x0023, 0x0012, 0x0005, 0x000d, 0x001b};
  BOOST_TEST(later.ja4() == "t13d1516h2_8daaf6152771_d8a2da3f94cd");
}

BOOST_AUTO_TEST_CASE(the_fingerprint_does_not_depend_on_chance) {
  client_hello shuffled = browser();
  std::ranges::reverse(shuffled.extensions);
  std::ranges::reverse(shuffled.cipher_suites);
  shuffled.cipher_suites.push_back(0xeaea);
  shuffled.signature_algorithms.push_back(0x0a0a);
  shuffled.server_name = "example.org";
  shuffled.session_id = {1, 2, 3};
  BOOST_TEST(shuffled.ja4() == browser_fingerprint);
}

BOOST_AUTO_TEST_CASE(the_fingerprint_depends_on_what_is_offered) {
  client_hello other = browser();
  std::ranges::reverse(other.signature_algorithms);   // of which the order counts
  BOOST_TEST(other.ja4().substr(0, 23) == "t13d1516h2_8daaf6152771");
  BOOST_TEST(other.ja4() != browser_fingerprint);
  other = browser();
  other.cipher_suites.push_back(0x0a1a);   // looks like GREASE, and is none
  BOOST_TEST(beginning(other) == "t13d1616h2");
  other = browser();
  std::erase(other.extensions, std::uint16_t{0});
  BOOST_TEST(other.ja4() == "t13i1515h2_8daaf6152771_e5627efa2ab1");
  other = browser();
  other.alpn.clear();
  std::erase(other.extensions, std::uint16_t{0x0010});
  BOOST_TEST(other.ja4() == "t13d151500_8daaf6152771_e5627efa2ab1");
}

BOOST_AUTO_TEST_CASE(lists_without_an_element_have_a_digest_of_zeros) {
  client_hello bare;
  bare.versions = {0x0303};
  BOOST_TEST(bare.ja4() == "t12i000000_000000000000_000000000000");
  bare.extensions = {0x0000, 0x0010, 0x3a3a};
  BOOST_TEST(bare.ja4() == "t12d000200_000000000000_000000000000");
}

BOOST_AUTO_TEST_CASE(without_signature_algorithms_the_extensions_stand_alone) {
  client_hello hello;
  hello.versions = {0x0301};
  hello.extensions = {0x0023, 0x000a};
  // printf 000a,0023 | sha256sum
  BOOST_TEST(hello.ja4() == "t10i000200_000000000000_0c6363272b2b");
}

BOOST_AUTO_TEST_CASE(a_fingerprint_counts_up_to_99) {
  client_hello hello = browser();
  hello.cipher_suites.assign(150, 0x1301);
  hello.extensions.assign(100, 0x0005);
  BOOST_TEST(beginning(hello) == "t13i9999h2");
}

BOOST_AUTO_TEST_CASE(a_fingerprint_names_the_latest_version) {
  std::vector<std::pair<numbers, std::string>> const cases{
      {{0x0303, 0x0304, 0xfafa}, "13"}, {{0x0303}, "12"}, {{0x0301, 0x0302}, "11"},
      {{0x0301}, "10"},                 {{0x0300}, "s3"}, {{0x0002}, "s2"},
      {{0x7f1c}, "00"},                 {{}, "00"}};
  for (auto const& [versions, text] : cases) {
    client_hello hello;
    hello.versions = versions;
    BOOST_TEST(hello.ja4().substr(1, 2) == text);
  }
}

// The examples of its technical details.
BOOST_AUTO_TEST_CASE(a_fingerprint_has_the_ends_of_the_first_alpn_protocol) {
  std::vector<std::pair<std::string, std::string>> const cases{
      {"h2", "h2"},         {"http/1.1", "h1"},       {"x", "xx"},
      {"\xab", "ab"},       {"\xab\xcd", "ad"},       {"\x30\xab", "3b"},
      {"\x30\x31\xab\xcd", "3d"}, {"\x30\xab\xcd\x31", "01"}, {"", "00"}};
  for (auto const& [protocol, text] : cases) {
    client_hello hello;
    hello.alpn = {protocol, "other"};
    BOOST_TEST(hello.ja4().substr(8, 2) == text);
  }
}

BOOST_AUTO_TEST_CASE(what_is_read_of_a_browser_has_its_order_and_its_grease) {
  client_hello const hello = read(browser_bytes());
  BOOST_TEST(hello.extensions == browser_extensions, boost::test_tools::per_element());
  BOOST_TEST(hello.cipher_suites == browser_suites, boost::test_tools::per_element());
  BOOST_TEST((hello.groups == numbers{0x3a3a, 0x001d, 0x0017}));
  BOOST_TEST((hello.versions == numbers{0xdada, 0x0304, 0x0303}));
  BOOST_TEST(std::string(hello.session_id.begin(), hello.session_id.end()) == session_text);
  BOOST_TEST(hello.ja4() == browser_fingerprint);
}

BOOST_AUTO_TEST_CASE(what_is_read_is_what_openssl_sees) {
  std::string const bytes = hello_by_openssl();
  client_hello const hello = layout_of(bytes);
  seen_by_openssl const seen(bytes);
  BOOST_TEST(hello.extensions == seen.extensions, boost::test_tools::per_element());
  BOOST_TEST(hello.extensions.size() > 5u);
  BOOST_TEST(std::string(hello.session_id.begin(), hello.session_id.end()) == seen.session);
  // Of a browser's it leaves out what it does not know.
  numbers known;
  for (auto const type : browser_extensions) {
    bool const unknown = (type & 0x0f0f) == 0x0a0a || type == 0x4469 || type == 0x001b ||
                         type == 0x0012;
    if (!unknown) known.push_back(type);
  }
  numbers const all = seen_by_openssl(browser_bytes()).extensions;
  for (auto const type : known) {
    BOOST_TEST((std::ranges::find(all, type) != all.end()), std::to_string(type));
  }
  BOOST_TEST(all.size() < browser_extensions.size());
}

BOOST_AUTO_TEST_CASE(records_do_not_matter) {
  std::string const bytes = browser_bytes();
  for (std::size_t const size : {std::size_t{1}, std::size_t{3}, std::size_t{100}}) {
    client_hello const hello = layout_of(in_records_of(size, bytes));
    BOOST_TEST(hello.extensions == browser_extensions, boost::test_tools::per_element());
  }
  BOOST_TEST(layout_of(bytes + "\x17\x03\x03\x01").extensions.size() ==
             browser_extensions.size());
}

BOOST_AUTO_TEST_CASE(a_hello_may_have_no_extensions) {
  BOOST_TEST(layout_of(hello_of({0x002f}, "")).extensions.empty());
  BOOST_TEST(layout_of(hello_of({0x002f}, "")).session_id.size() == 32u);
  BOOST_TEST(layout_of(hello_of({0x002f}, vector("", 2))).extensions.empty());
}

// Of a hello that is cut, or whose lengths lie, nothing is told but what is certain.
BOOST_AUTO_TEST_CASE(a_hello_that_is_cut_tells_nothing) {
  std::string const bytes = browser_bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    // As it came, and in a record that is whole.
    std::string const piece = bytes.substr(0, size);
    BOOST_TEST_REQUIRE(layout_of(piece).extensions.empty());
    if (size < 5) continue;
    std::string const cut = "\x16\x03\x01" + vector(piece.substr(5), 2);
    client_hello const hello = layout_of(cut);
    BOOST_TEST_REQUIRE((hello.extensions.empty() && hello.session_id.empty()));
  }
}

BOOST_AUTO_TEST_CASE(a_body_that_is_cut_tells_no_extensions) {
  std::string const whole = browser_bytes().substr(9);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::string const body = whole.substr(0, size);
    client_hello const hello = layout_of("\x16\x03\x01" + vector("\x01" + vector(body, 3), 2));
    BOOST_TEST_REQUIRE(hello.extensions.empty());
  }
}

BOOST_AUTO_TEST_CASE(whatever_byte_is_another_nothing_beyond_the_end_is_read) {
  std::string const bytes = browser_bytes();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (char const value : {'\x00', '\x01', '\x7f', '\xff'}) {
      std::string changed = bytes;
      changed[at] = value;
      // On the heap, in just its size, for the sanitizer to watch.
      std::vector<char> const exact(changed.begin(), changed.end());
      client_hello hello;
      detail::read_layout(std::as_bytes(std::span(exact)), hello);
      BOOST_TEST_REQUIRE(hello.session_id.size() <= 32u);
      BOOST_TEST_REQUIRE(hello.ja4().size() == 36u);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_hello_tells_nothing) {
  std::string const bytes = browser_bytes();
  std::string finished = bytes;
  finished[5] = '\x14';
  std::string data = bytes;
  data[0] = '\x17';
  std::string const old = "\x80\x2e\x01\x03\x01" + std::string(60, 'x');   // of SSL 2.0
  for (std::string const& one : {finished, data, old, std::string("GET / HTTP/1.0\r\n\r\n")}) {
    BOOST_TEST(layout_of(one).extensions.empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::client_hello_test
