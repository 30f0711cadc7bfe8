// The phases of a connection, and what an engine answers in each: the table of phase.hpp, walked
// through with engines that have come there.

#include "adopted_bio.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <cotls/detail/channel/bio_channel.hpp>
#include <cotls/detail/engine/ssl_engine.hpp>

#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cotls::test::phase_test {

namespace {

using detail::answer;
using detail::phase;
using detail::request;

detail::connection_options to_localhost() {
  detail::connection_options options;
  options.host = "localhost";
  return options;
}

struct ends {
  explicit ends(server_context const& at_server = localhost_server())
      : client(localhost_client(), client_link, to_localhost()), server(at_server, server_link) {}

  detail::memory_channel client_link;
  detail::memory_channel server_link;
  detail::ssl_engine client;
  detail::ssl_engine server;

  void to_server(std::size_t most = 1'000'000) { carry(client_link, server_link, most); }
  void to_client() { carry(server_link, client_link, 1'000'000); }

  void shake_hands() {
    for (int flight = 0; flight < 3; ++flight) {
      client.handshake();
      to_server();
      server.handshake();
      to_client();
    }
  }

 private:
  static void carry(detail::memory_channel& from, detail::memory_channel& to, std::size_t most) {
    asio::const_buffer const piece = asio::buffer(from.sending(), most);
    to.give(piece.data(), piece.size());
    from.sent(piece.size());
  }
};

// How one of the ends comes to a phase; says which.
struct way {
  phase to;
  std::function<detail::ssl_engine&(ends&)> go;
  std::function<server_context()> with = [] { return localhost_server(); };
};

std::ostream& operator<<(std::ostream& out, way const& one) {
  return out << "phase " << static_cast<int>(one.to);
}

// A server whose program has still to say which certificate it shows.
server_context undecided() {
  asio::ssl::context native(asio::ssl::context::tls_server);
  SSL_CTX_set_cert_cb(native.native_handle(), [](SSL*, void*) { return -1; }, nullptr);
  return server_context(std::move(native));
}

std::vector<way> const ways{
    {phase::fresh, [](ends& of) -> auto& { return of.client; }},
    {phase::hello,
     [](ends& of) -> auto& {
       of.client.handshake();
       of.to_server(50);
       of.server.handshake();
       return of.server;
     }},
    {phase::handshake,
     [](ends& of) -> auto& {
       of.client.handshake();
       return of.client;
     }},
    {phase::question,
     [](ends& of) -> auto& {
       of.client.handshake();
       of.to_server();
       of.server.handshake();
       return of.server;
     },
     undecided},
    {phase::open,
     [](ends& of) -> auto& {
       of.shake_hands();
       return of.client;
     }},
    {phase::closed,
     [](ends& of) -> auto& {
       of.shake_hands();
       of.client.close_write();
       return of.client;
     }},
    {phase::refused,
     [](ends& of) -> auto& {
       of.server_link.give("GET / HTTP/1.0\r\n\r\n", 18);
       of.server.handshake();
       return of.server;
     }},
    {phase::failed,
     [](ends& of) -> auto& {
       of.shake_hands();
       of.server_link.give("\x17\x03\x03\x00\x13" "0123456789012345678", 24);
       std::array<char, 10> text;
       std::array const into{asio::mutable_buffer(asio::buffer(text))};
       of.server.read(into);
       return of.server;
     }},
};

step make(request what, detail::ssl_engine& of) {
  std::array<char, 10> text{};
  std::array const into{asio::mutable_buffer(asio::buffer(text))};
  std::array const from{asio::const_buffer(asio::buffer(text))};
  switch (what) {
    case request::handshake: return of.handshake();
    case request::read: return of.read(into);
    case request::write: return of.write(from);
    case request::close_write: return of.close_write();
  }
  return {};
}

std::vector<request> const requests{request::handshake, request::read, request::write,
                                    request::close_write};

void meets(answer expected, step const& got, phase before, phase after) {
  switch (expected) {
    case answer::goes_on: BOOST_TEST(!got.error); break;
    case answer::done:
      BOOST_TEST(!got.error);
      BOOST_TEST((got.want == want::nothing));
      BOOST_TEST((after == before));
      break;
    case answer::write_closed:
      BOOST_TEST(got.error == errc::write_after_close);
      BOOST_TEST((after == before));
      break;
    case answer::failure:
      BOOST_TEST(static_cast<bool>(got.error));
      BOOST_TEST(got.error != errc::write_after_close);
      BOOST_TEST((after == before));
      break;
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(phases)

BOOST_DATA_TEST_CASE(each_request_is_answered_as_the_table_says, boost::unit_test::data::make(ways),
                     one) {
  for (request const what : requests) {
    BOOST_TEST_CONTEXT("request " << static_cast<int>(what)) {
      ends both(one.with());
      detail::ssl_engine& asked = one.go(both);
      BOOST_REQUIRE((asked.at() == one.to));
      BOOST_TEST(asked.handshake_done() == was_opened(one.to));
      step const got = make(what, asked);
      meets(answer_to(what, one.to), got, one.to, asked.at());
    }
  }
}

// Our close_notify waits behind what the adopted transport has not taken.
BOOST_AUTO_TEST_CASE(closing_ends_when_the_transport_has_taken_it) {
  auto [near, far] = bio_pair(20'000);
  BIO* const transport = near.get();
  detail::bio_channel link(detail::owned_bio(near.release()));
  detail::ssl_engine client(localhost_client(), link, to_localhost());
  detail::bio_channel far_link{detail::owned_bio(far.release())};
  detail::ssl_engine server(localhost_server(), far_link);
  while (!client.handshake_done() || !server.handshake_done()) {
    client.input_arrived();
    client.handshake();
    server.input_arrived();
    server.handshake();
  }
  BOOST_TEST((client.at() == phase::open));
  char const junk = 0;
  while (BIO_write(transport, &junk, 1) == 1) {
  }
  BOOST_TEST((client.close_write().want == want::output));
  BOOST_TEST((client.at() == phase::closing));
  for (request const what : {request::handshake, request::read, request::write}) {
    meets(answer_to(what, phase::closing), make(what, client), phase::closing, client.at());
  }
  BOOST_TEST(!client.failed());
}

BOOST_AUTO_TEST_CASE(a_question_is_put_again_until_it_is_answered) {
  ends both(undecided());
  both.client.handshake();
  both.to_server();
  for (int again = 0; again < 2; ++again) {
    BOOST_TEST((both.server.handshake().want == want::certificate));
    BOOST_TEST((both.server.at() == phase::question));
    BOOST_TEST(!both.server.asked());   // it is the adopted context's own
  }
}

BOOST_AUTO_TEST_CASE(a_handshake_that_is_given_up_was_none) {
  ends both;
  both.shake_hands();
  both.client.give_up_handshake(errc::handshake_timeout);
  BOOST_TEST((both.client.at() == phase::refused));
  BOOST_TEST(!both.client.peer().verified());
  BOOST_TEST(both.client.handshake().error == errc::handshake_timeout);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::phase_test
