// `cotls connect --session` and `cotls serve --ticket-secret`: what is resumed by the next run.

#include "process.hpp"
#include "temporary_directory.hpp"
#include "tool.hpp"

#include <cotls/identity.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace cotls::test::tool_sessions_test {
namespace {

auto const versions = boost::unit_test::data::make({"--tls1.2", "--tls1.3"});

std::string contents(std::string const& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A server, which may be started again, and clients that keep their session in a file.
struct fixture {
  temporary_directory directory;
  identity who = make_self_signed({"localhost", "127.0.0.1"});
  std::string const root = directory.write("root.pem", who.chain().leaf().pem());
  std::string const certificate =
      directory.write("own.pem", who.chain().leaf().pem() + who.key().pem());
  std::string const session = (directory.path() / "session").string();
  std::optional<process> server;
  int port = 0;

  void serve(std::vector<std::string> more = {}) {
    if (server) {
      server->signal(SIGTERM);
      server->wait();
    }
    std::vector<std::string> words{"serve", std::to_string(port), "--echo", "--cert", certificate};
    words.insert(words.end(), more.begin(), more.end());
    server.emplace(tool(words));
    port = std::stoi(server->line_after("listening on 127.0.0.1:"));
  }

  // Says something to the server, and returns what the command says on standard error.
  std::string connect(std::vector<std::string> more = {}, std::string const& host = "localhost") {
    std::vector<std::string> words{"connect", host + ':' + std::to_string(port), "--ca", root,
                                   "--half-close", "-v", "--session", session};
    words.insert(words.end(), more.begin(), more.end());
    process client(tool(words));
    client.give("hello\n");
    BOOST_TEST(client.prints("hello\n"));
    client.end_input();
    BOOST_TEST(client.wait() == 0);
    return client.errors();
  }

  bool resumes(std::vector<std::string> more = {}, std::string const& host = "localhost") {
    std::string const said = connect(std::move(more), host);
    BOOST_TEST(said.find("warning") == std::string::npos);
    return said.find(", resumed\n") != std::string::npos;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tool_sessions, fixture)

BOOST_DATA_TEST_CASE_F(fixture, the_next_run_resumes_and_the_one_after_it, versions, version) {
  serve();
  BOOST_TEST(!resumes({version}));
  for (int again = 0; again < 3; ++again) BOOST_TEST(resumes({version}));
  struct stat known {};
  BOOST_REQUIRE(::stat(session.c_str(), &known) == 0);
  BOOST_TEST((known.st_mode & 07777) == 0600u);
  std::ptrdiff_t const files = std::distance(
      std::filesystem::directory_iterator(directory.path()), std::filesystem::directory_iterator());
  BOOST_TEST(files == 3);   // nothing is left behind
}

BOOST_AUTO_TEST_CASE(a_session_is_not_offered_to_another_host) {
  serve();
  BOOST_TEST(!resumes());
  BOOST_TEST(!resumes({}, "127.0.0.1"));
  BOOST_TEST(resumes({}, "127.0.0.1"));
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_named_and_costs_a_full_handshake) {
  serve();
  BOOST_TEST(!resumes());
  std::string damaged = contents(session);
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  std::ofstream(session, std::ios::binary) << damaged;
  std::string const said = connect();
  BOOST_TEST(said.find("warning: reading the session " + session +
                       " failed: the file holds no session, or a damaged one") == 0u);
  BOOST_TEST(said.find("resumed") == std::string::npos);
  BOOST_TEST(resumes());   // what came since
}

BOOST_AUTO_TEST_CASE(a_file_of_something_else_is_named_and_stays) {
  serve();
  directory.write("session", "a letter\n");
  ::chmod(session.c_str(), 0600);
  std::string const said = connect();
  BOOST_TEST(said.find("warning: reading the session " + session) == 0u);
  BOOST_TEST(said.find("warning: writing the session " + session) != std::string::npos);
  BOOST_TEST(contents(session) == "a letter\n");
}

BOOST_AUTO_TEST_CASE(a_file_that_others_may_read_or_change_is_named) {
  serve();
  BOOST_TEST(!resumes());
  for (mode_t const mode : {0640u, 0602u}) {
    ::chmod(session.c_str(), mode);
    std::string const said = connect();
    BOOST_TEST(said.find("which others may read or change") != std::string::npos);
    BOOST_TEST(said.find("resumed") == std::string::npos);
  }
  ::chmod(session.c_str(), 0600);
  BOOST_TEST(resumes());
}

BOOST_DATA_TEST_CASE_F(fixture, a_server_with_a_secret_knows_its_clients_after_a_restart, versions,
                       version) {
  std::string const secret = directory.write("secret", std::string(40, 's') + '\n');
  serve({"--ticket-secret", secret});
  BOOST_TEST(!resumes({version}));
  serve({"--ticket-secret", secret});
  BOOST_TEST(resumes({version}));
  serve({"--ticket-secret", directory.write("other", std::string(40, 'o'))});
  BOOST_TEST(!resumes({version}));
  serve();
  BOOST_TEST(!resumes({version}));
}

BOOST_AUTO_TEST_CASE(a_secret_that_is_too_short_or_not_there_is_refused) {
  std::string const secret = directory.write("secret", std::string(31, 's') + '\n');
  process shorter(tool({"serve", "0", "--echo", "--ticket-secret", secret}));
  BOOST_TEST(shorter.wait() == 2);
  BOOST_TEST(shorter.errors().find("--ticket-secret " + secret) != std::string::npos);
  process nowhere(tool({"serve", "0", "--echo", "--ticket-secret", secret + "2"}));
  BOOST_TEST(nowhere.wait() == 1);
  BOOST_TEST(nowhere.errors().find("reading the secret of tickets from " + secret + "2 failed") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::tool_sessions_test
