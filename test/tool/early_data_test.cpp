// `cotls connect --early-data` and `cotls serve --early-data`: requests that come with a hello.

#include "process.hpp"
#include "serve_client.hpp"
#include "temporary_directory.hpp"
#include "tool.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <vector>

namespace cotls::test::tool_early_data_test {
namespace {

constexpr char get[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
constexpr char post[] = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
                        "Connection: close\r\n\r\n";

struct fixture {
  temporary_directory directory;
  std::string const page = directory.write("index.html", "a page\n");
  std::string const session = (directory.path() / ".session").string();
  std::optional<serving_tool> server;

  void serve(std::vector<std::string> more) {
    std::vector<std::string> words{"--www", directory.path().string()};
    words.insert(words.end(), more.begin(), more.end());
    server.emplace(words);
  }

  // Sends a request with the session that is kept, and nothing behind it.
  std::string said;   // on standard error
  std::string send(std::string const& request) {
    std::string const file = directory.write(".request", request);
    process client(tool({"connect", server->address(), "--ca", server->root_file(), "-v", "--session",
                         session, "--early-data", file}));
    BOOST_TEST(client.wait() == 0);
    said = client.errors();
    return client.output();
  }

  bool says(char const* what) const { return said.find(what) != std::string::npos; }
};

int result_of(std::vector<std::string> arguments, std::string& said) {
  process command(tool(std::move(arguments)));
  int const result = command.wait();
  said = command.errors();
  return result;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tool_early_data, fixture)

BOOST_AUTO_TEST_CASE(what_is_safe_is_answered_at_once) {
  serve({"--early-data"});
  BOOST_TEST(send(get).starts_with("HTTP/1.1 200 OK\r\n"));
  BOOST_TEST(says(", early data sent late\n"));
  for (int again = 0; again < 2; ++again) {
    std::string const answer = send(get);
    BOOST_TEST(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    BOOST_TEST(answer.ends_with("\r\n\r\na page\n"));
    BOOST_TEST(says(", resumed, early data accepted\n"));
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_is_too_early) {
  serve({"--early-data"});
  BOOST_TEST(send(post).starts_with("HTTP/1.1 405 "));   // behind the handshake
  BOOST_TEST(says(", early data sent late\n"));
}

BOOST_AUTO_TEST_CASE(and_is_not_looked_at) {
  serve({"--early-data"});
  send(get);
  BOOST_TEST(send(post).starts_with("HTTP/1.1 425 Too Early\r\n"));
  BOOST_TEST(says(", early data accepted\n"));
}

// RFC 8470 section 5.1
BOOST_AUTO_TEST_CASE(a_proxy_may_say_that_a_request_was_early) {
  serve({});
  serve_client client(*server);
  client.get("/", "Early-Data: 1\r\n");
  BOOST_TEST(client.answer() == 200);
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nEarly-Data: 1\r\n\r\n");
  BOOST_TEST(client.answer() == 425);
}

BOOST_AUTO_TEST_CASE(requests_that_follow_are_heard_behind_the_handshake) {
  serve({"--early-data"});
  send(get);
  std::string const kept = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::string const answer = send(kept + kept + get);
  std::size_t answers = 0;
  for (std::size_t at = 0; (at = answer.find("HTTP/1.1 200", at)) != std::string::npos; ++at) {
    ++answers;
  }
  BOOST_TEST(answers == 3u);
  BOOST_TEST(says(", early data accepted\n"));
}

BOOST_AUTO_TEST_CASE(a_server_that_was_not_told_takes_none) {
  serve({});
  for (int again = 0; again < 2; ++again) {
    BOOST_TEST(send(get).starts_with("HTTP/1.1 200 OK\r\n"));
    BOOST_TEST(says(", early data sent late\n"));
  }
}

BOOST_AUTO_TEST_CASE(it_is_refused_where_nobody_knows_what_may_be_repeated) {
  std::string why;
  BOOST_TEST(result_of({"serve", "0", "--echo", "--early-data"}, why) == 2);
  BOOST_TEST(why.find("--early-data is for --www") != std::string::npos);
  std::string const secret = directory.write(".secret", std::string(40, 's') + '\n');
  BOOST_TEST(result_of({"serve", "0", "--www", directory.path().string(), "--early-data",
                        "--ticket-secret", secret},
                       why) == 2);
  BOOST_TEST(why.find("--early-data contradicts --ticket-secret") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_is_named) {
  serve({});
  std::string why;
  BOOST_TEST(result_of({"connect", server->address(), "--ca", server->root_file(), "--early-data",
                        "/nonexistent/request"},
                       why) == 1);
  BOOST_TEST(why.find("/nonexistent/request") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::tool_early_data_test
