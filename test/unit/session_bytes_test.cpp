// What is made of the bytes of a session that somebody else has written: a value that is written as
// it was read, or `errc`. (What one is good for: unit/session.)

#include "engine_pair.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "session/session_bytes.hpp"

#include <cotls/session.hpp>

#include <boost/test/unit_test.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace cotls::test::session_bytes_test {
namespace {

using bytes_type = std::vector<unsigned char>;

constexpr std::size_t digest_size = 32;
constexpr std::size_t head_size = 15;   // name, version and kind

// Sessions of both versions, with a certificate of the client's and without, as clients and stores
// keep them.
struct fixture {
  fixture() {
    for (protocol const version : {protocol::tls1_2, protocol::tls1_3}) {
      client_context const client = client_context(version).add_root(root.certificate());
      keep(client);
      keep(client_context(version).add_root(root.certificate()).use(person.identity()));
    }
  }

  void keep(client_context const& client) {
    engine_pair both(client, server, client_options().host("server.test").port(443));
    BOOST_REQUIRE(both.connect());
    session const given = both.client.session().value();
    clients.push_back(given.bytes());
    servers.push_back(detail::write_server_session(given.body()->native()));
  }

  authority root{"root"};
  issued shown = root.make_intermediate("between").issue(certificate_request({"server.test"}));
  issued person = root.issue(certificate_request({"person"}).use(purpose::client));
  server_context server = server_context()
                              .use(shown.identity())
                              .set_verify(verify::optional)
                              .add_root(root.certificate());
  std::vector<bytes_type> clients;
  std::vector<bytes_type> servers;
};

// With the digest that they would have.
bytes_type resealed(bytes_type bytes) {
  if (bytes.size() < digest_size) return bytes;
  std::size_t const body = bytes.size() - digest_size;
  EVP_Digest(bytes.data(), body, bytes.data() + body, nullptr, EVP_sha256(), nullptr);
  return bytes;
}

struct tally {
  int read = 0;
  int refused = 0;
};

// A value that is written says the same again; all else is refused as what it is.
void read_clients(bytes_type const& bytes, tally& count) {
  std::optional<session> read;
  try {
    read = session::from_bytes(bytes);
  } catch (error const& thrown) {
    bool const known =
        thrown.code() == errc::invalid_session || thrown.code() == errc::session_expired;
    BOOST_REQUIRE(known);
    ++count.refused;
    return;
  }
  ++count.read;
  bytes_type const written = read->bytes();
  session const again = session::from_bytes(written);
  BOOST_REQUIRE(again.bytes() == written);
  BOOST_REQUIRE(again.host() == read->host());
  BOOST_REQUIRE(again.port() == read->port());
  BOOST_REQUIRE(again.verified() == read->verified());
  BOOST_REQUIRE(again.single_use() == read->single_use());
  BOOST_REQUIRE((again.made() == read->made()));
  BOOST_REQUIRE((again.expires() == read->expires()));
}

void read_servers(bytes_type const& bytes, tally& count) {
  auto const read = detail::read_server_session(bytes);
  if (!read) {
    ++count.refused;
    return;
  }
  ++count.read;
  bytes_type const written = detail::write_server_session(read.get());
  auto const again = detail::read_server_session(written);
  BOOST_REQUIRE(again);
  BOOST_REQUIRE(detail::write_server_session(again.get()) == written);
}

// Changes as damage makes them, and whoever looks for a weakness: of bytes, of pieces, of lengths.
class damage {
 public:
  explicit damage(std::vector<bytes_type> const& good) : good_(good) {}

  bytes_type next() {
    bytes_type bytes = any(good_);
    for (std::size_t times = 1 + below(3); times > 0; --times) change(bytes);
    return bytes;
  }

 private:
  std::size_t below(std::size_t limit) {
    return limit == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }

  bytes_type const& any(std::vector<bytes_type> const& of) { return of[below(of.size())]; }

  // Half of them where the numbers are, before the certificates.
  std::size_t place(std::size_t size) {
    return below(2) == 0 ? below(std::min<std::size_t>(size, 160)) : below(size);
  }

  std::ptrdiff_t signed_place(std::size_t size) {
    return static_cast<std::ptrdiff_t>(place(size));
  }

  void change(bytes_type& bytes) {
    switch (below(6)) {
      case 0:   // a bit
        if (!bytes.empty()) bytes[place(bytes.size())] ^= static_cast<unsigned char>(1 << below(8));
        break;
      case 1:   // a byte, of those that end numbers, most of all
        if (!bytes.empty()) {
          constexpr std::array<unsigned char, 6> edges{0x00, 0x01, 0x7f, 0x80, 0x84, 0xff};
          bytes[place(bytes.size())] = below(2) == 0 ? edges[below(edges.size())]
                                                     : static_cast<unsigned char>(below(256));
        }
        break;
      case 2: bytes.resize(below(bytes.size() + 1)); break;
      case 3: {   // a piece goes
        auto const from = bytes.begin() + signed_place(bytes.size());
        auto const room = static_cast<std::size_t>(bytes.end() - from);
        bytes.erase(from, from + static_cast<std::ptrdiff_t>(below(std::min(room, head_size) + 1)));
        break;
      }
      case 4: {   // a piece comes, of itself or of another
        bytes_type const& of = any(good_);
        auto const from = of.begin() + signed_place(of.size());
        auto const room = static_cast<std::size_t>(of.end() - from);
        auto const size = below(std::min<std::size_t>(room, 64) + 1);
        bytes_type const piece(from, from + static_cast<std::ptrdiff_t>(size));
        bytes.insert(bytes.begin() + signed_place(bytes.size()), piece.begin(), piece.end());
        break;
      }
      case 5: {   // the head of this one, the tail of another
        bytes_type const& of = any(good_);
        bytes.resize(place(bytes.size()));
        bytes.insert(bytes.end(), of.begin() + signed_place(of.size()), of.end());
        break;
      }
    }
  }

  std::vector<bytes_type> const& good_;
  std::mt19937 random_{20'000};   // the same every time
};

constexpr int runs = 10'000;   // of each kind

// Most of them with the digest that they would have: without, the digest refuses what is behind it.
template <class Read>
tally read_damaged(std::vector<bytes_type> const& good, Read const& read) {
  tally count;
  damage from(good);
  for (int i = 0; i < runs; ++i) {
    bytes_type const bytes = from.next();
    read(i % 8 == 0 ? bytes : resealed(bytes), count);
  }
  BOOST_TEST(count.read + count.refused == runs);
  return count;
}

void read_each_flipped_and_cut(std::vector<bytes_type> const& good) {
  for (bytes_type const& whole : good) {
    tally all;
    read_servers(whole, all);
    BOOST_REQUIRE(all.read == 1);
    tally count;
    for (std::size_t at = 0; at < whole.size(); ++at) {
      bytes_type flipped = whole;
      flipped[at] = static_cast<unsigned char>(~flipped[at]);
      read_servers(flipped, count);
      read_servers(bytes_type(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(at)), count);
    }
    BOOST_TEST(count.read == 0);
    for (std::size_t at = 0; at + digest_size < whole.size(); ++at) {
      bytes_type flipped = whole;
      flipped[at] = static_cast<unsigned char>(~flipped[at]);
      read_servers(resealed(flipped), count);
      auto const end = whole.begin() + static_cast<std::ptrdiff_t>(at + digest_size);
      read_servers(resealed(bytes_type(whole.begin(), end)), count);
    }
    BOOST_TEST(count.read > 0);
    BOOST_TEST(count.refused > count.read);
  }
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(session_bytes, fixture)

BOOST_AUTO_TEST_CASE(of_servers_with_each_byte_flipped_or_cut_are_refused_or_read) {
  read_each_flipped_and_cut({servers.front(), servers.back()});
}

BOOST_AUTO_TEST_CASE(of_clients_that_are_damaged_at_random_are_refused_or_read) {
  tally const count = read_damaged(clients, read_clients);
  BOOST_TEST(count.read > runs / 100);
  BOOST_TEST(count.refused > runs / 4);
}

BOOST_AUTO_TEST_CASE(of_servers_that_are_damaged_at_random_are_refused_or_read) {
  tally const count = read_damaged(servers, read_servers);
  BOOST_TEST(count.read > runs / 100);
  BOOST_TEST(count.refused > runs / 4);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::session_bytes_test
