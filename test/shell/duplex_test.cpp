// Both directions at once, while key updates, session tickets and requests for certificates come in
// between: what is written is read, byte by byte, whatever the transport.

#include "memory_stream.hpp"
#include "openssl.hpp"
#include "pki.hpp"
#include "print.hpp"
#include "small_buffers.hpp"
#include "tls.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/strand.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <ostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace cotls::test::duplex_test {

using namespace asio::experimental::awaitable_operators;

namespace {

client_options to_localhost() { return client_options().host("localhost"); }

// What a side sends beside its data.
enum class message { key_update, key_update_request, session_ticket };

std::ostream& operator<<(std::ostream& out, message value) {
  switch (value) {
    case message::key_update: return out << "key update";
    case message::key_update_request: return out << "key update request";
    case message::session_ticket: return out << "session ticket";
  }
  return out;
}

void send(message what, ssl_st* ssl) {
  switch (what) {
    case message::key_update: return update_key(ssl);
    case message::key_update_request: return request_key_update(ssl);
    case message::session_ticket: return send_session_ticket(ssl);
  }
}

// Boost.Test does not look at two threads' checks at once: what is wrong ends the coroutine.
void require(bool holds, char const* claim) {
  if (!holds) throw std::runtime_error(claim);
}

// What one side does: it writes the text in pieces of all sizes, with its messages between them.
class side {
 public:
  explicit side(std::string const& writes) : text(&writes) {}

  std::string const* text;
  std::vector<message> messages;   // in turn, one before each piece
};

template <class Writer>
asio::awaitable<void> write_all(Writer& to, ssl_st* ssl, side const& ours) {
  std::size_t size = 1;
  std::size_t turn = 0;
  for (std::size_t at = 0; at < ours.text->size();) {
    if (!ours.messages.empty()) send(ours.messages[turn++ % ours.messages.size()], ssl);
    auto const piece = asio::buffer(asio::buffer(*ours.text) + at, size);
    std::size_t const count = co_await to.async_write(piece);
    require(count == piece.size(), "a write takes all");
    at += count;
    size = size * 3 % 20'011;
  }
  co_await to.async_close_write();
}

template <class Reader>
asio::awaitable<void> read_all(Reader& from, std::string const& expected) {
  auto const [code, text] = co_await read_to_end(from);
  require(code == asio::error::eof, "the end is close_notify");
  require(text == expected, "what is read is what was written");
}

// Each half in a coroutine of its own.
template <class Next>
asio::awaitable<void> both_ways(stream<Next> whole, side const& ours, std::string const& theirs) {
  ssl_st* const ssl = whole.native_handle();
  auto [reads, writes] = std::move(whole).split();
  co_await (write_all(writes, ssl, ours) && read_all(reads, theirs));
}

template <class Next>
asio::awaitable<void> shake_hands(stream<Next>& client, stream<Next>& server) {
  co_await (client.async_handshake(asio::use_awaitable) &&
            server.async_handshake(asio::use_awaitable));
}

struct fixture {
  asio::io_context context;
  std::string const question = pattern(1'500'000);
  std::string const answer{question.rbegin(), question.rend()};
  side client_side{question};
  side server_side{answer};

  template <class Next>
  void exchange(stream<Next> client, stream<Next> server) {
    spawn(context, both_ways(std::move(client), client_side, answer));
    spawn(context, both_ways(std::move(server), server_side, question));
    run_for(context);
  }

  void exchange_over_sockets(protocol version = protocol::secure) {
    tcp_pair pair(context, version);
    use_small_buffers(pair.client, pair.server);
    use_small_buffers(pair.server, pair.client);
    exchange(std::move(pair.client), std::move(pair.server));
  }

  // Which cuts everything into small pieces, and holds little.
  void exchange_over_memory() {
    auto [left, right] = memory_stream::make_pair(context.get_executor());
    for (memory_stream* each : {&left, &right}) {
      each->set_limit(3000);
      each->set_capacity(5000);
    }
    stream<memory_stream> client(std::move(left), localhost_client(), to_localhost());
    stream<memory_stream> server(std::move(right), localhost_server());
    run(context, shake_hands(client, server));
    exchange(std::move(client), std::move(server));
  }
};

auto const key_updates =
    boost::unit_test::data::make({message::key_update, message::key_update_request});

}  // namespace

BOOST_FIXTURE_TEST_SUITE(duplex, fixture)

BOOST_AUTO_TEST_CASE(works_without_anything_in_between) {
  exchange_over_sockets(protocol::tls1_2);
  exchange_over_sockets(protocol::tls1_3);
  exchange_over_memory();
}

BOOST_DATA_TEST_CASE_F(fixture, goes_on_through_key_updates_of_the_client, key_updates, what) {
  client_side.messages = {what};
  exchange_over_sockets();
  exchange_over_memory();
}

BOOST_DATA_TEST_CASE_F(fixture, goes_on_through_key_updates_of_the_server, key_updates, what) {
  server_side.messages = {what};
  exchange_over_sockets();
  exchange_over_memory();
}

BOOST_DATA_TEST_CASE_F(fixture, goes_on_through_key_updates_that_meet, key_updates * key_updates,
                       clients, servers) {
  client_side.messages = {clients};
  server_side.messages = {servers};
  exchange_over_sockets();
  exchange_over_memory();
}

BOOST_AUTO_TEST_CASE(goes_on_through_tickets_and_everything_else) {
  client_side.messages = {message::key_update, message::key_update_request};
  server_side.messages = {message::session_ticket, message::key_update, message::session_ticket,
                          message::key_update_request};
  exchange_over_sockets();
  exchange_over_memory();
}

BOOST_AUTO_TEST_CASE(goes_on_through_many_tickets) {
  server_side.messages = {message::session_ticket};
  exchange_over_sockets();
  exchange_over_memory();
}

BOOST_AUTO_TEST_CASE(goes_on_on_two_threads_over_strands) {
  client_side.messages = {message::key_update_request, message::key_update};
  server_side.messages = {message::session_ticket, message::key_update_request};
  asio::io_context shared{2};
  listener accepts(shared.get_executor(), any_port(), localhost_server());
  client_context const with = localhost_client();
  std::atomic<int> done{0};
  auto ended = [&](std::exception_ptr thrown) {
    if (!thrown) ++done;
  };
  accepts.async_accept([&](error_code code, tcp_stream made) {
    if (code) return;   // and it is not done
    auto const executor = made.get_executor();   // a strand
    asio::co_spawn(executor, both_ways(std::move(made), server_side, question), ended);
  });
  auto connecting = [&]() -> asio::awaitable<void> {
    tcp_stream made = co_await async_connect("127.0.0.1", accepts.port(), with);
    co_await both_ways(std::move(made), client_side, answer);
    accepts.close();
  };
  asio::co_spawn(asio::make_strand(shared), connecting(), ended);
  {
    std::jthread const other([&] { shared.run_for(60s); });
    shared.run_for(60s);
  }
  BOOST_TEST(shared.stopped());
  BOOST_TEST(done == 2);
}

// A ticket that holds the client's certificate does not fit into one of these records: while half
// of it is here, OpenSSL neither reads nor writes data, and closes nothing.
BOOST_AUTO_TEST_CASE(goes_on_through_messages_that_come_in_parts) {
  authority const root("whose clients are welcome");
  server_context asking = localhost_server(protocol::tls1_3);
  asking.add_root(root.certificate()).set_verify(verify::required);
  client_context answering = localhost_client();
  answering.use(root.issue(certificate_request({"somebody"}).use(purpose::client)).identity());
  server_side.messages = {message::session_ticket};

  auto [left, right] = memory_stream::make_pair(context.get_executor());
  for (memory_stream* each : {&left, &right}) {
    each->set_limit(300);
    each->set_capacity(2000);
  }
  stream<memory_stream> client(std::move(left), answering, to_localhost());
  stream<memory_stream> server(std::move(right), asking);
  use_small_records(server.native_handle());
  run(context, shake_hands(client, server));
  exchange(std::move(client), std::move(server));
}

// Asks in the middle of the transfer, once.
BOOST_AUTO_TEST_CASE(a_client_is_asked_for_its_certificate_while_both_directions_are_busy) {
  authority const root("whose clients are welcome");
  issued const pass = root.issue(certificate_request({"somebody"}).use(purpose::client));
  server_context asking = localhost_server(protocol::tls1_3);
  asking.add_root(root.certificate());
  client_context answering = localhost_client();
  answering.use(pass.identity());
  tcp::acceptor acceptor(context, any_port());
  tcp::socket near(context);
  near.connect(acceptor.local_endpoint());
  tcp_stream client(std::move(near), answering, to_localhost());
  tcp_stream server(acceptor.accept(), asking);
  allow_post_handshake_authentication(client.native_handle());
  run(context, shake_hands(client, server));
  BOOST_TEST(!server.peer().certificate());

  // Neither is the last: the client goes on until it has read all, and what it answers is read.
  auto asked = [&]() -> asio::awaitable<void> {
    co_await (client.async_write(asio::buffer(question), asio::use_awaitable) &&
              read_all(client, answer));
    co_await client.async_close_write();
  };
  auto serving = [&]() -> asio::awaitable<void> {
    std::size_t const half = answer.size() / 2;
    co_await server.async_write(asio::buffer(answer, half));
    request_client_certificate(server.native_handle());
    co_await server.async_write(asio::buffer(answer) + half);
    co_await server.async_close_write();
  };
  spawn(context, asked());
  spawn(context, serving());
  run(context, read_all(server, question));
  BOOST_TEST(server.peer().verified());
  BOOST_TEST(server.peer().subject() == "CN=somebody");
}

// RFC 5246 section 7.2.2: no_renegotiation. OpenSSL, when it has asked and was refused, gives up.
BOOST_AUTO_TEST_CASE(another_handshake_is_refused_by_a_server) {
  tcp_pair pair(context, protocol::tls1_2);
  run(context, [&]() -> asio::awaitable<void> {
    auto reading = [&]() -> asio::awaitable<void> {
      auto const [code, text] = co_await read_to_end(pair.server);
      BOOST_TEST(code == alert::handshake_failure);
      BOOST_TEST(text == "before");
    };
    auto asking = [&]() -> asio::awaitable<void> {
      co_await pair.client.async_write(asio::buffer("before", 6));
      request_renegotiation(pair.client.native_handle());
      auto const [code, count] =
          co_await pair.client.async_write(asio::buffer("after", 5), as_result);
      BOOST_TEST((code.category() == openssl_category()));
      BOOST_TEST(count == 0u);
    };
    co_await (reading() && asking());
  }());
}

BOOST_AUTO_TEST_CASE(another_handshake_is_refused_by_a_client_and_what_came_before_is_read) {
  tcp_pair pair(context, protocol::tls1_2);
  run(context, [&]() -> asio::awaitable<void> {
    auto reading = [&]() -> asio::awaitable<void> {
      auto const [code, text] = co_await read_to_end(pair.client);
      BOOST_TEST(code == alert::handshake_failure);
      BOOST_TEST(text == "before and after");
    };
    auto asking = [&]() -> asio::awaitable<void> {
      co_await pair.server.async_write(asio::buffer("before", 6));
      request_renegotiation(pair.server.native_handle());
      co_await pair.server.async_write(asio::buffer(" and after", 10));
      auto const [code, nothing] = co_await read_to_end(pair.server);
      BOOST_TEST((code.category() == openssl_category()));
    };
    co_await (reading() && asking());
  }());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::duplex_test
