// Programs written for asio::ssl::stream and beast::ssl_stream, compiled with theirs and with ours,
// talk to each other in every combination.

#include "programs/programs.hpp"

#include "tls.hpp"

#include <boost/test/unit_test.hpp>

#include <future>
#include <string>

namespace cotls::test::programs_test {

namespace {

std::string converse(client_program const& client, server_program const& server,
                     std::string const& text) {
  std::promise<unsigned short> listening;
  auto port = listening.get_future();
  auto served = std::async(std::launch::async, [&] { server.run(listening); });
  std::string answer = client.run(port.get(), text);
  served.get();   // throws what the server has thrown
  return answer;
}

void everyone_talks_to_everyone(program_family const& asios, program_family const& ours) {
  std::string const text = pattern(300);
  for (program_family const* clients : {&asios, &ours}) {
    for (program_family const* servers : {&asios, &ours}) {
      if (clients == &asios && servers == &asios) continue;   // not for us to test
      for (client_program const& client : clients->clients) {
        for (server_program const& server : servers->servers) {
          BOOST_TEST_CONTEXT((clients == &ours ? "our " : "Asio's ")
                             << client.name << " client, "
                             << (servers == &ours ? "our " : "Asio's ") << server.name
                             << " server") {
            BOOST_TEST(converse(client, server, text) == answer_to(text));
          }
        }
      }
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(drop_in)

BOOST_AUTO_TEST_CASE(http_programs_need_no_other_change) {
  everyone_talks_to_everyone(http_programs<implementation::asio>(),
                             http_programs<implementation::cotls>());
}

BOOST_AUTO_TEST_CASE(websocket_programs_need_no_other_change) {
  everyone_talks_to_everyone(websocket_programs<implementation::asio>(),
                             websocket_programs<implementation::cotls>());
}

BOOST_AUTO_TEST_CASE(asio_programs_need_no_other_change) {
  everyone_talks_to_everyone(callback_programs<implementation::asio>(),
                             callback_programs<implementation::cotls>());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::programs_test
