// How long the records are that an engine sends, as their headers on the wire tell.

#include "print.hpp"
#include "tls.hpp"

#include <cotls/detail/engine/ssl_engine.hpp>

#include <cotls/detail/support/access.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <span>
#include <string>
#include <vector>

namespace cotls::test::record_size_test {

namespace {

using lengths = std::vector<std::size_t>;

struct end {
  detail::memory_channel link;
  detail::ssl_engine tls;

  explicit end(server_context const& context) : tls(context, link) {}
  explicit end(client_context const& context)
      : tls(context, link, detail::access::inner(client_options().host("localhost"))) {}

  std::string read(std::size_t room) {
    std::string text(room, '\0');
    std::array const into{asio::mutable_buffer(text.data(), text.size())};
    text.resize(tls.read(into).bytes);
    return text;
  }
};

std::string carry(end& from, end& to) {
  std::string all;
  while (from.link.unsent() > 0) {
    asio::const_buffer const piece = from.link.sending();
    all.append(static_cast<char const*>(piece.data()), piece.size());
    from.link.sent(piece.size());
  }
  to.tls.give_input(all.data(), all.size());
  return all;
}

// A server, whose records are looked at, and a client.
struct server_at_work {
  protocol version;
  end client;
  end server;

  explicit server_at_work(bool small, protocol versions = protocol::tls1_3)
      : version(versions),
        client(localhost_client(version)),
        server(localhost_server(version).set_small_first_records(small)) {
    while (!client.tls.handshake_done() || !server.tls.handshake_done()) {
      client.tls.handshake();
      carry(client, server);
      server.tls.handshake();
      carry(server, client);
    }
  }

  void ask() {
    std::array const request{asio::const_buffer("request", 7)};
    client.tls.write(request);
    carry(client, server);
    BOOST_REQUIRE(server.read(100) == "request");
  }

  // Writes, and returns how much plaintext each record carries. The client must read the same.
  lengths records_of(std::span<asio::const_buffer const> response) {
    std::string sent(asio::buffer_size(response), '\0');
    asio::buffer_copy(asio::buffer(sent), response);
    BOOST_REQUIRE(server.tls.write(response).bytes == sent.size());
    std::string const wire = carry(server, client);
    BOOST_TEST((client.read(sent.size()) == sent));
    // AES-GCM: the type and the tag (RFC 8446 section 5.2), or the nonce and the tag (RFC 5288
    // section 3).
    std::size_t const overhead = version == protocol::tls1_3 ? 1 + 16 : 8 + 16;
    auto const byte = [&](std::size_t at) { return static_cast<unsigned char>(wire[at]); };
    lengths found;
    for (std::size_t at = 0; at + 5 <= wire.size();) {
      std::size_t const length = byte(at + 3) * std::size_t{256} + byte(at + 4);
      found.push_back(length - overhead);
      at += 5 + length;
    }
    return found;
  }

  lengths records_of(std::size_t size) {
    std::string const text = pattern(size);
    std::array const response{asio::const_buffer(text.data(), text.size())};
    return records_of(response);
  }
};

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

}  // namespace

BOOST_AUTO_TEST_SUITE(record_size)

BOOST_DATA_TEST_CASE(records_are_full_unless_the_first_are_to_be_small, versions, version) {
  server_at_work pair(false, version);
  pair.ask();
  BOOST_TEST(pair.records_of(40'000) == lengths({16'384, 16'384, 7'232}));
}

BOOST_DATA_TEST_CASE(the_first_record_fits_a_packet_and_each_further_one_is_twice_as_long, versions,
                     version) {
  server_at_work pair(true, version);
  pair.ask();
  BOOST_TEST(pair.records_of(60'000) ==
             lengths({1'369, 2'738, 5'476, 10'952, 16'384, 16'384, 6'697}));
}

BOOST_AUTO_TEST_CASE(small_records_begin_again_when_data_was_read) {
  server_at_work pair(true);
  pair.ask();
  pair.records_of(60'000);
  BOOST_TEST(pair.records_of(20'000) == lengths({16'384, 3'616}));
  pair.ask();
  BOOST_TEST(pair.records_of(5'000) == lengths({1'369, 2'738, 893}));
}

BOOST_AUTO_TEST_CASE(a_server_that_speaks_first_begins_with_small_records) {
  server_at_work pair(true);
  BOOST_TEST(pair.records_of(5'000) == lengths({1'369, 2'738, 893}));
}

BOOST_AUTO_TEST_CASE(a_write_that_fills_no_record_does_not_make_the_next_one_longer) {
  server_at_work pair(true);
  pair.ask();
  BOOST_TEST(pair.records_of(300) == lengths({300}));
  BOOST_TEST(pair.records_of(5'000) == lengths({1'369, 2'738, 893}));
}

BOOST_AUTO_TEST_CASE(small_buffers_are_joined_into_small_records) {
  server_at_work pair(true);
  pair.ask();
  std::string const text = pattern(5'000);
  std::vector<asio::const_buffer> pieces;
  for (std::size_t at = 0; at < text.size(); at += 100) {
    pieces.emplace_back(asio::buffer(text) + at);
    pieces.back() = asio::buffer(pieces.back(), 100);
  }
  BOOST_TEST(pair.records_of(pieces) == lengths({1'369, 2'738, 893}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::record_size_test
