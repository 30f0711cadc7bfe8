// Data that comes with a client's hello: who gets it, when, and that nobody gets it twice.

#include "engine_pair.hpp"
#include "memory_store.hpp"
#include "pki.hpp"
#include "print.hpp"

#include <cotls/context.hpp>
#include <cotls/early_data.hpp>
#include <cotls/error.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace cotls::test::early_data_test {
namespace {

namespace data = boost::unit_test::data;

constexpr std::string_view request = "GET / HTTP/1.1\r\n\r\n";

// What a read was given, and how it ended.
struct got {
  std::string text;
  step last;
};

template <class Read>
got read_all(Read const& read) {
  got all;
  for (;;) {
    std::array<char, 512> piece;
    all.last = read(asio::buffer(piece));
    all.text.append(piece.data(), all.last.bytes);
    if (all.last.bytes == 0) return all;
  }
}

got read_early(engine& from) {
  return read_all([&from](asio::mutable_buffer into) { return from.read_early(into); });
}

got read(engine& from) {
  return read_all([&from](asio::mutable_buffer into) { return from.read(into); });
}

std::string take_output(engine& from) {
  auto const ready = from.output();
  std::string const text(static_cast<char const*>(ready.data()), ready.size());
  from.consume_output(ready.size());
  return text;
}

struct fixture {
  authority root{"root"};
  issued identity = root.issue(certificate_request({"server.test"}));
  server_context server = server_context(protocol::tls1_3).use(identity.identity()).set_early_data();
  client_context client = client_context().add_root(root.certificate());
  std::optional<engine_pair> both;

  static client_options there() { return client_options().host("server.test").port(443); }
  static client_options early(std::string_view text = request) {
    return there().early_data(asio::buffer(text));
  }

  // A full handshake, after which the client has a session.
  void visit(client_options const& options = there()) {
    both.emplace(client, server, options);
    BOOST_REQUIRE(both->connect());
    BOOST_TEST(!both->client.info().resumed);
  }

  // The client's first words are at the server.
  void begin(client_options const& options = early()) {
    both.emplace(client, server, options);
    BOOST_TEST(!both->client.handshake().error);
    engine_pair::carry(both->client, both->server);
  }

  early_data at_client() const { return both->client.info().early_data; }
  early_data at_server() const { return both->server.info().early_data; }

  void accepts(std::string_view text = request) {
    got const heard = read_early(both->server);
    BOOST_TEST(heard.text == text);
    BOOST_TEST((heard.last.want == want::input));
    engine_pair::carry(both->server, both->client);
    BOOST_TEST(!both->client.handshake().error);
    engine_pair::carry(both->client, both->server);
    BOOST_TEST(read_early(both->server).last.error == asio::error::eof);
    BOOST_TEST(both->connect());
    BOOST_TEST((at_client() == early_data::accepted));
    BOOST_TEST((at_server() == early_data::accepted));
    BOOST_TEST(read(both->server).text.empty());
  }

  // The server rejects it, and reads it behind the handshake.
  void rejects(std::string_view text = request) {
    BOOST_TEST(read_early(both->server).text.empty());
    BOOST_TEST(both->connect());
    BOOST_TEST((at_client() == early_data::sent_late));
    BOOST_TEST((at_server() != early_data::accepted));
    BOOST_TEST(read(both->server).text == text);
  }
};

error_code failure_of_use(server_context const& context) {
  try {
    engine const made(context);
  } catch (error const& thrown) {
    return thrown.code();
  }
  return {};
}

BOOST_FIXTURE_TEST_SUITE(early_data_, fixture)

BOOST_AUTO_TEST_CASE(it_is_here_before_the_handshake_is_done) {
  visit();
  begin();
  accepts();
  BOOST_TEST(both->client.info().resumed);
}

BOOST_AUTO_TEST_CASE(the_client_of_a_session_that_was_kept_sends_it) {
  visit();
  auto const kept = session::from_bytes(both->client.session()->bytes());
  client = client_context().add_root(root.certificate());
  begin(early().session(kept));
  accepts();
}

BOOST_AUTO_TEST_CASE(without_a_session_it_is_sent_behind_the_handshake) {
  begin();
  rejects();
  BOOST_TEST((at_server() == early_data::none));
}

BOOST_AUTO_TEST_CASE(where_nobody_looks_for_it_it_is_rejected_and_sent_again) {
  visit();
  begin();
  BOOST_TEST(both->connect());
  BOOST_TEST((at_client() == early_data::sent_late));
  BOOST_TEST((at_server() == early_data::rejected));
  BOOST_TEST(read(both->server).text == request);
}

BOOST_AUTO_TEST_CASE(a_read_before_the_handshake_looks_for_none) {
  visit();
  begin();
  BOOST_TEST((read(both->server).last.want == want::input));
  BOOST_TEST(read_early(both->server).last.error == asio::error::eof);
  BOOST_TEST(both->connect());
  BOOST_TEST((at_server() == early_data::rejected));
}

BOOST_AUTO_TEST_CASE(and_not_sent_again_where_that_was_not_asked) {
  visit();
  begin(there().early_data(asio::buffer(request), unaccepted::drop));
  BOOST_TEST(both->connect());
  BOOST_TEST((at_client() == early_data::rejected));
  BOOST_TEST(read(both->server).text.empty());

  client = client_context().add_root(root.certificate());
  begin(there().early_data(asio::buffer(request), unaccepted::drop));
  BOOST_TEST(both->connect());
  BOOST_TEST((at_client() == early_data::none));
  BOOST_TEST(read(both->server).text.empty());
}

BOOST_AUTO_TEST_CASE(a_client_that_only_reads_has_sent_it_too) {
  visit();
  both.emplace(client, server, early());
  BOOST_TEST((read(both->client).last.want == want::input));
  engine_pair::carry(both->client, both->server);
  BOOST_TEST(read_early(both->server).text == request);
}

BOOST_AUTO_TEST_CASE(a_server_without_the_setting_takes_none) {
  server = server_context(protocol::tls1_3).use(identity.identity());
  visit();
  begin();
  rejects();
  BOOST_TEST((at_server() == early_data::none));   // it was not offered
}

BOOST_AUTO_TEST_CASE(a_client_of_tls_1_2_has_none) {
  server = server_context().use(identity.identity()).set_early_data();
  client = client_context(protocol::tls1_2).add_root(root.certificate());
  visit();
  begin();
  rejects();
}

// RFC 8446 section 4.2.10: a server that asks for another hello rejects it.
BOOST_AUTO_TEST_CASE(a_second_hello_has_none) {
  server.set_groups("P-384");
  visit();
  begin();
  rejects();
  BOOST_TEST(both->client.info().hello_retried);
}

BOOST_AUTO_TEST_CASE(what_was_recorded_is_accepted_once) {
  visit();
  both.emplace(client, server, early());
  BOOST_TEST(!both->client.handshake().error);
  std::string const recorded = take_output(both->client);
  for (int i = 0; i < 3; ++i) {
    engine again(server);
    again.input(asio::buffer(recorded));
    BOOST_TEST(read_early(again).text == (i == 0 ? request : ""));
    BOOST_TEST((again.info().early_data ==
                (i == 0 ? early_data::accepted : early_data::rejected)));
  }
}

BOOST_DATA_TEST_CASE(through_a_store_too, data::make({stores::at_once, stores::nothing}), way) {
  asio::io_context context;
  memory_store kept(context.get_executor());
  server = server_context(protocol::tls1_3).use(identity.identity()).set_early_data();
  server.set_session_store(kept.store());
  visit();
  server_context const elsewhere = server_context(protocol::tls1_3)
                                       .use(identity.identity())
                                       .set_early_data()
                                       .set_session_store(kept.store());
  kept->way = way;
  both.emplace(client, server, early());
  BOOST_TEST(!both->client.handshake().error);
  std::string const recorded = take_output(both->client);
  engine first(elsewhere);
  first.input(asio::buffer(recorded));
  BOOST_TEST(read_early(first).text == (way == stores::at_once ? request : ""));
  engine second(server);
  second.input(asio::buffer(recorded));
  BOOST_TEST(read_early(second).text.empty());
}

BOOST_AUTO_TEST_CASE(it_stays_until_it_is_read) {
  visit();
  begin();
  std::array<char, 4> piece;
  BOOST_TEST(both->server.read_early(asio::buffer(piece)).bytes == 4u);
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST(both->server.handshake().error == errc::unread_data);
    BOOST_TEST(both->server.read(asio::buffer(piece)).error == errc::unread_data);
    BOOST_TEST(both->server.write(asio::buffer(piece)).error == errc::unread_data);
  }
  accepts(request.substr(4));
}

BOOST_AUTO_TEST_CASE(a_handshake_that_goes_on_meets_the_rest) {
  std::string const much(16'000, 'x');
  visit();
  both.emplace(client, server, early(much));
  BOOST_TEST(!both->client.handshake().error);
  std::string const words = take_output(both->client);
  std::size_t const half = words.size() / 2;
  both->server.input(asio::buffer(words.data(), half));
  BOOST_TEST((read_early(both->server).last.want == want::input));
  both->server.input(asio::buffer(words.data() + half, words.size() - half));
  BOOST_TEST(both->server.handshake().error == errc::unread_data);
  accepts(much);
}

BOOST_AUTO_TEST_CASE(a_server_may_answer_at_once) {
  visit();
  begin();
  BOOST_TEST(both->server.write_early(asio::buffer("no", 2)).error == errc::handshake_not_done);
  BOOST_TEST(read_early(both->server).text == request);
  BOOST_TEST(both->server.write_early(asio::buffer("200", 3)).bytes == 3u);
  engine_pair::carry(both->server, both->client);
  BOOST_TEST(read(both->client).text == "200");
  engine_pair::carry(both->client, both->server);
  BOOST_TEST(read_early(both->server).last.error == asio::error::eof);
  BOOST_TEST(both->server.write_early(asio::buffer("204", 3)).bytes == 3u);
  BOOST_TEST(both->connect());
  BOOST_TEST(both->server.write_early(asio::buffer("more", 4)).bytes == 4u);   // as ever
  engine_pair::carry(both->server, both->client);
}

BOOST_AUTO_TEST_CASE(but_to_nobody_of_whom_nothing_was_accepted) {
  begin();
  BOOST_TEST(read_early(both->server).text.empty());
  BOOST_TEST(both->server.write_early(asio::buffer("200", 3)).error == errc::handshake_not_done);
  BOOST_TEST(both->connect());
}

BOOST_AUTO_TEST_CASE(more_than_the_server_takes_is_sent_late) {
  server.set_early_data(early_data_options().max(request.size() - 1));
  visit();
  begin();
  rejects();
  server = server_context(protocol::tls1_3).use(identity.identity());
  server.set_early_data(early_data_options().max(request.size()));
  client = client_context().add_root(root.certificate());
  visit();
  begin();
  accepts();
}

BOOST_AUTO_TEST_CASE(sixty_four_kilobytes_are_sent_late_and_more_is_refused) {
  std::string const much(65'536, 'x');
  visit();
  begin(early(much));
  rejects(much);
  BOOST_CHECK_EXCEPTION(begin(early(much + 'x')), error, [](error const& thrown) {
    return thrown.code() == errc::invalid_setting;
  });
}

// What a rule is shown, and what it says.
BOOST_DATA_TEST_CASE(a_rule_decides, data::make({"yes", "no", "throws"}), says) {
  issued const shown = root.issue(certificate_request({"client"}).use(purpose::client));
  client.use(shown.identity());
  std::string seen;
  early_data_options how;
  how.accept_if([&seen, says = std::string(says)](peer_info const& peer,
                                                  connection_info const& offered) {
    seen = peer.subject() + (peer.verified() ? " verified " : " ") + offered.server_name + ' ' +
           offered.alpn;
    if (says == "throws") throw std::runtime_error("the rule is broken");
    return says == "yes";
  });
  server.set_early_data(how).set_verify(verify::required).add_root(root.certificate());
  server.set_alpn({"h1"}).on_established([](auto const&, auto const&) { return true; });
  client.set_alpn({"h1"});
  visit();
  BOOST_TEST(seen.empty());
  begin();
  if (says == std::string("yes")) accepts();
  else rejects();
  BOOST_TEST(seen == std::string("CN=client") + " verified server.test h1");
}

BOOST_AUTO_TEST_CASE(a_client_that_would_be_refused_today_has_none) {
  issued const shown = root.issue(certificate_request({"client"}).use(purpose::client));
  client.use(shown.identity());
  server.set_verify(verify::required).add_root(root.certificate());
  asio::io_context context;
  memory_store kept(context.get_executor());
  server.set_session_store(kept.store());
  visit();
  begin();
  accepts();
  BOOST_TEST(both->server.peer().verified());
  server = server_context(protocol::tls1_3).use(identity.identity()).set_early_data();
  server.set_session_store(kept.store());
  server.set_verify(verify::required).add_root(authority("another").certificate());
  begin();
  BOOST_TEST(read_early(both->server).text.empty());
  BOOST_TEST((at_server() == early_data::rejected));
  BOOST_TEST(!both->connect());
}

BOOST_AUTO_TEST_CASE(before_the_handshake_is_done_nobody_is_verified) {
  issued const shown = root.issue(certificate_request({"client"}).use(purpose::client));
  client.use(shown.identity());
  server.set_verify(verify::required).add_root(root.certificate());
  visit();
  begin();
  BOOST_TEST(read_early(both->server).text == request);
  BOOST_TEST(!both->server.peer().verified());
  BOOST_TEST(both->server.peer().subject() == std::string("CN=client"));
}

// B10: the hello's hook waits; what came behind the hello stays, and is early data then.
BOOST_AUTO_TEST_CASE(a_hook_is_waited_for) {
  server.on_client_hello([](client_hello const&) -> asio::awaitable<hello_answer> {
    co_return hello_answer();
  });
  auto const answer_hook = [this] {
    BOOST_TEST((both->server.handshake().want == want::client_hello));
    both->server.answer(hello_answer());
  };
  both.emplace(client, server, there());
  BOOST_TEST(!both->client.handshake().error);
  engine_pair::carry(both->client, both->server);
  answer_hook();
  BOOST_REQUIRE(both->connect());
  begin();
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST((read_early(both->server).last.want == want::client_hello));
  }
  both->server.answer(hello_answer());
  accepts();
}

// T1: the look for early data takes a client of TLS 1.2 to the end of its handshake.
BOOST_AUTO_TEST_CASE(the_last_word_on_a_client_of_tls_1_2_is_waited_for) {
  auto const yes = [](auto const&, auto const&) { return true; };
  server = server_context().use(identity.identity());
  server.set_early_data(early_data_options().accept_if(yes));
  server.on_established([](auto const&, auto const&) -> asio::awaitable<bool> { co_return true; });
  client = client_context(protocol::tls1_2).add_root(root.certificate());
  both.emplace(client, server, early());
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST(!both->client.handshake().error);
    engine_pair::carry(both->client, both->server);
    got const heard = read_early(both->server);
    BOOST_TEST(heard.text.empty());
    BOOST_TEST((heard.last.want == (i == 0 ? want::input : want::established)));
    if (i == 0) engine_pair::carry(both->server, both->client);
  }
  BOOST_TEST(both->server.output().size() == 0u);
  both->server.answer(true);
  rejects();
}

BOOST_AUTO_TEST_CASE(a_protocol_that_is_not_offered_any_more_has_none) {
  server.set_alpn({"h2", "h1"});
  visit(there().alpn("h1"));
  begin(early().alpn("h2"));
  rejects();                                        // it is h2's then
  client = client_context().add_root(root.certificate());
  visit(there().alpn("h1"));
  begin(early().alpn("h1", "h2"));                  // the server would rather have h2
  BOOST_TEST(read_early(both->server).text.empty());
  BOOST_TEST(both->connect());
  BOOST_TEST(both->client.info().alpn == "h2");
  BOOST_TEST((at_client() == early_data::rejected));
  BOOST_TEST(read(both->server).text.empty());
}

BOOST_AUTO_TEST_CASE(the_protocols_of_the_connection_count) {
  server.set_alpn({"h1"});
  client.set_alpn({"h2"});
  auto const begin_with_own = [this](client_options const& options) {
    both.emplace(client, server, options);
    both->client.set_alpn({"h1"});
  };
  begin_with_own(there());
  BOOST_REQUIRE(both->connect());
  begin_with_own(early());
  BOOST_TEST(!both->client.handshake().error);
  engine_pair::carry(both->client, both->server);
  accepts();
}

BOOST_AUTO_TEST_CASE(its_truncation_is_a_failure) {
  visit();
  both.emplace(client, server, early());
  BOOST_TEST(!both->client.handshake().error);
  std::string const words = take_output(both->client);
  both->server.input(asio::buffer(words));
  BOOST_TEST(read_early(both->server).text == request);
  both->server.end_input();
  BOOST_TEST(read_early(both->server).last.error == errc::handshake_truncated);
}

BOOST_AUTO_TEST_CASE(contexts_that_contradict_it_are_refused) {
  auto const made = [this] {
    return server_context(protocol::tls1_3).use(identity.identity()).set_early_data();
  };
  BOOST_TEST(!failure_of_use(made()));
  BOOST_TEST(failure_of_use(made().set_ticket_keys(ticket_keys())) == errc::invalid_setting);
  BOOST_TEST(failure_of_use(made().set_session_tickets(0)) == errc::invalid_setting);
  auto const yes = [](auto const&, auto const&) { return true; };
  BOOST_TEST(failure_of_use(made().on_established(yes)) == errc::invalid_setting);
  BOOST_TEST(!failure_of_use(
      made().on_established(yes).set_early_data(early_data_options().accept_if(yes))));
  for (std::size_t const size : {std::size_t{0}, std::size_t{16'385}}) {
    BOOST_CHECK_THROW(made().set_early_data(early_data_options().max(size)), error);
  }
  server_context adopted{asio::ssl::context(asio::ssl::context::tls_server)};
  BOOST_CHECK_THROW(adopted.set_early_data(), error);
}

BOOST_AUTO_TEST_CASE(a_client_reads_none) {
  both.emplace(client, server, there());
  BOOST_TEST(read_early(both->client).last.error == asio::error::operation_not_supported);
  BOOST_TEST(both->connect());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cotls::test::early_data_test
