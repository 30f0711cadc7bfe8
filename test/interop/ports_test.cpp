// Ports, and `openssl` on the other side.

#include "certificates.hpp"
#include "print.hpp"
#include "process.hpp"
#include "programs.hpp"

#include <cotls/blocking.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

namespace cotls::test::ports_test {
namespace {

certificates const& pki() { return certificates::all(); }

blocking::stream connect_to(s_server const& server) {
  blocking::stream made = blocking::connect("127.0.0.1", server.port(),
                                            certificates::trust(pki().root));
  made.set_timeout(process::patience);
  return made;
}

blocking::stream accept_from(blocking::listener& listener) {
  blocking::stream made = listener.accept();
  made.set_timeout(process::patience);
  return made;
}

struct listening {
  blocking::listener listener{asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0),
                              certificates::serve(pki().localhost),
                              blocking::listen_options().accept_timeout(process::patience)};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(ports_and_openssl)

BOOST_AUTO_TEST_CASE(lines_go_both_ways_to_s_server) {
  s_server server;
  auto [in, out] = blocking::ports(connect_to(server));
  out << "good " << "day" << std::endl;
  BOOST_TEST(server.prints("good day\n"));
  server.give("and to you\n");
  std::string line;
  BOOST_TEST(bool(std::getline(in, line)));
  BOOST_TEST(line == "and to you");
}

BOOST_AUTO_TEST_CASE(the_goodbye_of_s_server_is_the_end_of_file) {
  s_server server({"-rev"});
  auto [in, out] = blocking::ports(connect_to(server));
  out << "good day\n";
  std::string line;
  BOOST_TEST(bool(std::getline(in, line)));
  BOOST_TEST(line == "yad doog");
  out << "CLOSE\n";
  BOOST_TEST(!std::getline(in, line));
  BOOST_TEST(in.eof());
  BOOST_TEST(!in.bad());
}

BOOST_AUTO_TEST_CASE(the_death_of_s_server_is_not) {
  s_server server;
  auto [in, out] = blocking::ports(connect_to(server));
  server.give("bye\n");
  std::string line;
  BOOST_TEST(bool(std::getline(in, line)));
  server.kill();
  BOOST_TEST(!std::getline(in, line));
  BOOST_TEST(in.bad());
  BOOST_TEST(in.error().code() == errc::stream_truncated);
}

BOOST_FIXTURE_TEST_CASE(lines_go_both_ways_to_s_client, listening) {
  process client(s_client(listener.port()));
  client.give("0123\n");
  auto [in, out] = blocking::ports(accept_from(listener));
  std::string line;
  BOOST_TEST(bool(std::getline(in, line)));
  BOOST_TEST(line == "0123");
  out << "you said " << line << std::endl;
  BOOST_TEST(client.prints("you said 0123\n"));
  client.end_input();
  BOOST_TEST(!std::getline(in, line));
  BOOST_TEST(in.eof());
  out.close();
  in.close();
  BOOST_TEST(client.wait() == 0);
}

BOOST_FIXTURE_TEST_CASE(closing_the_ports_lets_s_client_go, listening) {
  process client(s_client(listener.port()));
  {
    auto [in, out] = blocking::ports(accept_from(listener));
    out << "last words\n";
  }
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST(says(client, "last words"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::ports_test
