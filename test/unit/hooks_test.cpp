// What a handshake asks the program: every hook, answered at once and by a coroutine, comes to the
// same to the last detail. (Over sockets, and given up: shell/hooks.)

#include "hooked.hpp"
#include "print.hpp"

#include <cotls/engine.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace cotls::test::hooks_test {
namespace {

auto const versions = boost::unit_test::data::make({protocol::tls1_2, protocol::tls1_3});
auto const hooks = boost::unit_test::data::make(all_hooks);
auto const answers = boost::unit_test::data::make({says::yes, says::no, says::throws});

bool is_asked(want next) {
  return next == want::client_hello || next == want::certificate || next == want::verification ||
         next == want::established;
}

// Two engines whose hooks are run by an `io_context`.
struct pair {
  pair(client_context const& at_client, server_context const& at_server)
      : client(at_client, client_options().host("server.test").port(443)), server(at_server) {}

  // True when something was said, or the program has answered.
  bool go_on(engine& of, error_code& code, int& stops) {
    if (code) return false;
    step const next = of.handshake();
    code = next.error;
    if (!is_asked(next.want)) return false;
    ++stops;
    BOOST_TEST((of.handshake().want == next.want));   // until it is answered
    asio::co_spawn(context, of.answer(), asio::detached);
    context.restart();
    context.run();
    return true;
  }

  both_ends connect() {
    both_ends ends;
    for (bool moves = true; moves;) {
      moves = go_on(client, ends.client, stops_of_client);
      moves |= go_on(server, ends.server, stops_of_server);
      moves |= carry(client, server);
      moves |= carry(server, client);
    }
    std::array<char, 1> byte;
    if (!ends.client) ends.client = client.read(asio::buffer(byte)).error;
    if (!ends.server) ends.server = server.read(asio::buffer(byte)).error;
    return ends;
  }

  static bool carry(engine& from, engine& to) {
    std::size_t const size = from.output().size();
    to.input(from.output());
    from.consume_output(size);
    return size > 0;
  }

  asio::io_context context;
  engine client;
  engine server;
  int stops_of_client = 0;
  int stops_of_server = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(hooks_of_a_handshake)

BOOST_DATA_TEST_CASE(answer_alike_whenever_they_do, hooks* answers* versions, which, what, version) {
  for (auto const time : {takes_its_time::at_once, takes_its_time::once, takes_its_time::thrice}) {
    hooked const used(which, time, what, version);
    pair both(used.client, used.server);
    BOOST_TEST_CONTEXT(time) {
      BOOST_TEST(both.connect() == expected(which, what, version));
      BOOST_TEST(used.count->asked == 1);
      BOOST_TEST(used.count->running == 0);
      bool const waits = time != takes_its_time::at_once;
      BOOST_TEST(both.stops_of_client == (waits && is_clients(which) ? 1 : 0));
      BOOST_TEST(both.stops_of_server == (waits && !is_clients(which) ? 1 : 0));
      engine& asked = is_clients(which) ? both.client : both.server;
      bool const said = std::string(asked.last_error().what()).find("(the database is away)") !=
                        std::string::npos;
      BOOST_TEST(said == (what == says::throws));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::hooks_test
