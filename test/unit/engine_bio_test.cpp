// The engine over a BIO that it adopts.

#include "adopted_bio.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <cotls/engine.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/x509_vfy.h>

#include <optional>
#include <string>

namespace cotls::test::engine_bio_test {
namespace {

client_options to_localhost() { return client_options().host("localhost"); }

bool waits(step done) { return done.want != want::nothing && !done.error; }

// A client and a server over the two ends of a connection in memory.
struct pair_of_engines {
  engine client;
  engine server;

  explicit pair_of_engines(std::size_t capacity,
                           client_context const& at_client = localhost_client(),
                           server_context const& at_server = localhost_server())
      : pair_of_engines(bio_pair(capacity), at_client, at_server) {}

  pair_of_engines(std::pair<detail::bio_ptr, detail::bio_ptr> ends, client_context const& at_client,
                  server_context const& at_server)
      : client(at_client, to_localhost(), ends.first.release()),
        server(at_server, ends.second.release()) {}

  // Goes on until both ends are done or have failed. (A server may be left with a session ticket
  // that finds no room until the client reads.)
  std::pair<step, step> shake_hands() {
    std::pair<step, step> last;
    for (int round = 0; round < 10'000; ++round) {
      last = {client.handshake(), server.handshake()};
      if (!waits(last.first) && !waits(last.second)) break;
    }
    return last;
  }
};

constexpr int patience = 100'000;   // rounds; a session over a BIO of one byte needs thousands

// Sends a text, and returns what has arrived when all of it was taken.
std::string pass(engine& from, engine& to, std::string const& text) {
  std::string received;
  std::string room(5000, '\0');
  std::size_t taken = 0;
  for (int round = 0; round < patience && received.size() < text.size(); ++round) {
    if (taken < text.size()) {
      step const written = from.write(asio::buffer(text) + taken);
      BOOST_REQUIRE(!written.error);
      taken += written.bytes;
    }
    step const read = to.read(asio::buffer(room));
    BOOST_REQUIRE(!read.error);
    received.append(room, 0, read.bytes);
    from.read(asio::buffer(room));   // session tickets come this way, and must find room
  }
  return received;
}

// Repeats two calls, one an end, until the second does not wait any more.
template <class First, class Second>
step repeat(First first, Second second) {
  step last;
  for (int round = 0; round < patience; ++round) {
    first();
    last = second();
    if (!waits(last)) return last;
  }
  BOOST_FAIL("the two ends wait for each other");
  return last;
}

auto const capacities = boost::unit_test::data::make({1, 13, 1024, 100'000});
auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});

}  // namespace

BOOST_AUTO_TEST_SUITE(engine_over_a_bio)

BOOST_DATA_TEST_CASE(a_session_goes_over_a_bio_that_takes_little, capacities* versions, capacity,
                     version) {
  pair_of_engines both(static_cast<std::size_t>(capacity), localhost_client(version),
                       localhost_server(version));
  auto const [at_client, at_server] = both.shake_hands();
  BOOST_TEST(!waits(at_client));
  BOOST_TEST(!at_client.error);
  BOOST_TEST(!at_server.error);
  BOOST_TEST(both.client.peer().verified());

  std::string const text = pattern(static_cast<std::size_t>(capacity) * 3 + 3000);
  BOOST_TEST((pass(both.client, both.server, text) == text));
  BOOST_TEST((pass(both.server, both.client, text) == text));

  engine& client = both.client;
  engine& server = both.server;
  char one = 0;
  step const ended = repeat([&] { return client.close_write(); },
                            [&] { return server.read(asio::buffer(&one, 1)); });
  BOOST_TEST(ended.error == asio::error::eof);
  step const last_word = repeat([&] { return server.shutdown(); },
                                [&] { return client.shutdown(); });
  BOOST_TEST(!last_word.error);
}

// OpenSSL demands the same bytes again.
BOOST_DATA_TEST_CASE(a_write_that_waits_is_made_again_as_it_was_whatever_is_read_meanwhile,
                     versions, version) {
  pair_of_engines both(5000, localhost_client(version),
                       localhost_server(version).set_small_first_records());
  both.shake_hands();
  std::string const text = pattern(30'000);
  std::size_t taken = 0;
  step written;
  do {
    written = both.server.write(asio::buffer(text) + taken);
    taken += written.bytes;
  } while (written.want == want::nothing && !written.error);
  BOOST_TEST(written.want == want::output);
  std::string room(100, '\0');
  both.client.write(asio::buffer("question", 8));
  BOOST_TEST(both.server.read(asio::buffer(room)).bytes == 8u);   // the next answer begins small
  std::string const rest = text.substr(taken);
  std::string received = pass(both.server, both.client, rest);
  BOOST_TEST(text.ends_with(received));
}

BOOST_AUTO_TEST_CASE(a_client_that_connects_and_a_server_that_accepts_meet) {
  detail::bio_ptr listening = accepting_bio();
  std::uint16_t const port = port_of(listening.get());
  engine server(localhost_server(), listening.release());
  BOOST_TEST(server.handshake().want == want::accept);
  engine client(localhost_client(), to_localhost(), connecting_bio(port).release());
  step at_client = client.handshake();
  BOOST_TEST(at_client.want == want::connect);
  wait_for(client, want::connect);

  wait_for(server, want::accept);
  step const at_server = repeat(
      [&] {
        at_client = client.handshake();
        if (at_client.want == want::input) wait_for(server, want::input);
        return at_client;
      },
      [&] {
        step const done = server.handshake();
        if (done.want == want::input) wait_for(client, want::input);
        return done;
      });
  BOOST_TEST(!at_client.error);
  BOOST_TEST(!at_server.error);
  std::string const text = pattern(1000);
  BOOST_TEST((pass(client, server, text) == text));
  BOOST_TEST(client.output().size() == 0u);
}

BOOST_AUTO_TEST_CASE(the_end_of_the_bio_is_truncation_and_our_direction_goes_on) {
  pair_of_engines both(100'000);
  both.shake_hands();
  BIO_shutdown_wr(SSL_get_wbio(both.server.native_handle()));
  char one = 0;
  step const cut = both.client.read(asio::buffer(&one, 1));
  BOOST_TEST(cut.error == errc::stream_truncated);
  BOOST_TEST(both.client.last_error().code() == errc::stream_truncated);
  BOOST_TEST(both.client.write(asio::buffer("still here", 10)).bytes == 10u);
  std::string room(100, '\0');
  BOOST_TEST(both.server.read(asio::buffer(room)).bytes == 10u);
}

BOOST_AUTO_TEST_CASE(the_end_of_the_bio_inside_the_handshake_is_told_apart) {
  pair_of_engines both(100'000);
  BIO_shutdown_wr(SSL_get_wbio(both.client.native_handle()));
  BOOST_TEST(both.server.handshake().error == errc::handshake_truncated);
}

BOOST_AUTO_TEST_CASE(a_refused_certificate_is_known_with_its_place_over_a_bio_too) {
  pair_of_engines both(100'000, localhost_client(),
                       server_context().use(make_self_signed({"localhost"})));
  auto const [client, server] = both.shake_hands();
  BOOST_TEST(client.error.message() == "certificate verify failed");
  BOOST_TEST(both.client.last_error().verify_result() == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
  BOOST_TEST(std::string(both.client.last_error().what()).find("(depth 0, CN=localhost)") !=
             std::string::npos);
  BOOST_TEST((both.server.last_error().alert() == alert::unknown_ca));   // it was sent by the BIO
}

BOOST_AUTO_TEST_CASE(bytes_that_were_received_before_are_read_before_the_bios) {
  engine client(localhost_client(), to_localhost());
  client.handshake();
  std::string const hello(static_cast<char const*>(client.output().data()), client.output().size());
  auto [near, far] = bio_pair(100'000);
  engine server(localhost_server(), near.release());
  server.input(asio::buffer(hello, 50));
  BOOST_TEST(server.unread() == 50u);
  BOOST_TEST(server.handshake().want == want::input);
  BOOST_TEST(server.unread() == 0u);
  server.lend_input(asio::buffer(hello) + 50);
  BOOST_TEST(server.handshake().want == want::input);
  BOOST_TEST(BIO_pending(far.get()) > 100);   // its answer went through the BIO
  BOOST_TEST(server.output().size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_bio_is_owned_from_the_call_on_and_none_is_refused) {
  auto [near, far] = bio_pair(100);
  BOOST_CHECK_THROW(engine(localhost_client(), client_options(), near.release()), error);
  char one = 0;
  BOOST_TEST(BIO_read(far.get(), &one, 1) <= 0);
  BOOST_TEST(!BIO_should_retry(far.get()));   // the other end is gone
  BOOST_CHECK_EXCEPTION(engine(localhost_server(), nullptr), error, [](error const& thrown) {
    return thrown.code() == asio::error::invalid_argument;
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::engine_bio_test
