// Key updates (RFC 8446 section 4.6.3): on request, and in time.

#include "engine_pair.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <string>

namespace cotls::test::key_update_test {

namespace {

// How many key updates one end has sent and received.
struct counts {
  int sent = 0;
  int received = 0;
};

auto counting_in(counts& all) {
  return [&all](traced_message const& said) {
    if (said.what != traced_message::kind::handshake || said.name != "key_update") return;
    ++(said.by == traced_message::direction::sent ? all.sent : all.received);
  };
}

struct fixture {
  counts at_client;
  counts at_server;
  std::optional<engine_pair> both;

  void connect(client_context client = localhost_client(),
               server_context server = localhost_server()) {
    client.set_trace(counting_in(at_client));
    server.set_trace(counting_in(at_server));
    both.emplace(client, server, client_options().host("localhost"));
    BOOST_REQUIRE(both->connect());
  }

  // What comes of a text at the other end.
  static std::string carried(engine& from, engine& to, std::string const& text) {
    std::string got;
    std::string piece(64 * 1024, '\0');
    for (std::size_t written = 0; written < text.size();) {
      step const next = from.write(asio::buffer(text) + written);
      BOOST_REQUIRE(!next.error);
      written += next.bytes;
      engine_pair::carry(from, to);
      for (;;) {
        step const read = to.read(asio::buffer(piece));
        BOOST_REQUIRE(!read.error);
        got.append(piece, 0, read.bytes);
        if (read.want == want::input || (read.bytes == 0 && read.want == want::nothing)) break;
      }
    }
    return got;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(key_updates, fixture)

BOOST_AUTO_TEST_CASE(one_end_changes_its_key_and_the_other_follows) {
  connect();
  for (engine* const from : {&both->client, &both->server}) {
    engine& to = from == &both->client ? both->server : both->client;
    step const done = from->update_key(key_update::not_requested);
    BOOST_TEST((!done.error && done.want == want::nothing));
    BOOST_TEST(from->output().size() > 0u);   // before any data
    BOOST_TEST(carried(*from, to, "after it") == "after it");
    BOOST_TEST(carried(to, *from, "and back") == "and back");
  }
  BOOST_TEST(at_client.sent == 1);
  BOOST_TEST(at_client.received == 1);
  BOOST_TEST(at_server.sent == 1);
  BOOST_TEST(at_server.received == 1);
}

BOOST_AUTO_TEST_CASE(the_other_end_changes_its_key_too_when_it_is_asked) {
  connect();
  BOOST_TEST(!both->server.update_key(key_update::requested).error);
  BOOST_TEST(carried(both->server, both->client, "x") == "x");
  BOOST_TEST(carried(both->client, both->server, "y") == "y");
  BOOST_TEST(at_client.received == 1);
  BOOST_TEST(at_client.sent == 1);
  BOOST_TEST(at_server.received == 1);
}

BOOST_AUTO_TEST_CASE(it_can_be_done_again_and_again) {
  connect();
  for (int i = 0; i < 10; ++i) {
    BOOST_TEST(!both->client.update_key(key_update::not_requested).error);
    BOOST_TEST(carried(both->client, both->server, "x") == "x");
  }
  BOOST_TEST(at_server.received == 10);
}

BOOST_AUTO_TEST_CASE(tls_1_2_has_no_key_updates_and_goes_on) {
  connect(localhost_client(protocol::tls1_2));
  BOOST_TEST((both->client.update_key(key_update::requested).error == errc::needs_tls_1_3));
  BOOST_TEST((both->server.update_key(key_update::not_requested).error == errc::needs_tls_1_3));
  BOOST_TEST(carried(both->client, both->server, "x") == "x");
  BOOST_TEST(carried(both->server, both->client, "y") == "y");
}

BOOST_AUTO_TEST_CASE(there_is_no_key_to_change_before_the_handshake) {
  engine client(localhost_client(), client_options().host("localhost"));
  BOOST_TEST((client.update_key(key_update::requested).error == errc::handshake_not_done));
  BOOST_TEST(client.output().size() == 0u);
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_behind_close_notify) {
  connect();
  both->client.close_write();
  BOOST_TEST((both->client.update_key(key_update::requested).error == errc::write_after_close));
  BOOST_TEST(at_client.sent == 0);
}

BOOST_AUTO_TEST_CASE(a_connection_that_has_failed_says_why) {
  connect();
  std::string const forged = std::string("\x17\x03\x03", 3) + std::string("\x00\x20", 2) +
                             std::string(32, 'x');   // which nobody has encrypted
  both->client.input(asio::buffer(forged));
  char byte = 0;
  error_code const why = both->client.read(asio::buffer(&byte, 1)).error;
  BOOST_TEST(why.failed());
  BOOST_TEST((both->client.update_key(key_update::requested).error == why));
}

BOOST_AUTO_TEST_CASE(it_is_done_in_time_by_itself) {
  connect(localhost_client().set_key_update_after(100'000));
  std::string const text = pattern(1'000'000);
  BOOST_TEST((carried(both->client, both->server, text) == text));
  // Each 64 KiB look at what was sent before.
  BOOST_TEST(at_client.sent >= 5);
  BOOST_TEST(at_client.sent <= 10);
  BOOST_TEST(at_server.received == at_client.sent);
  BOOST_TEST(at_server.sent == 0);
  BOOST_TEST((carried(both->server, both->client, text) == text));
  BOOST_TEST(at_server.sent == 0);   // that end was not told to
}

BOOST_AUTO_TEST_CASE(each_key_has_its_own_time) {
  connect(localhost_client(), localhost_server().set_key_update_after(1000));
  std::string const text(400, 'x');
  for (int i = 0; i < 3; ++i) carried(both->server, both->client, text);
  BOOST_TEST(at_server.sent == 0);   // 1,200 bytes: the next write begins with it
  carried(both->server, both->client, text);
  BOOST_TEST(at_server.sent == 1);
  // One on request begins the count again.
  carried(both->server, both->client, text);
  both->server.update_key(key_update::not_requested);
  BOOST_TEST(at_server.sent == 2);
  for (int i = 0; i < 3; ++i) carried(both->server, both->client, text);
  BOOST_TEST(at_server.sent == 2);
  carried(both->server, both->client, text);
  BOOST_TEST(at_server.sent == 3);
}

BOOST_AUTO_TEST_CASE(without_the_setting_little_data_changes_no_key) {
  connect();
  std::string const text = pattern(1'000'000);
  BOOST_TEST((carried(both->client, both->server, text) == text));
  BOOST_TEST(at_client.sent == 0);
}

BOOST_AUTO_TEST_CASE(in_tls_1_2_the_setting_does_no_harm) {
  connect(localhost_client(protocol::tls1_2).set_key_update_after(1000));
  std::string const text = pattern(100'000);
  BOOST_TEST((carried(both->client, both->server, text) == text));
  BOOST_TEST(at_client.sent == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::key_update_test
