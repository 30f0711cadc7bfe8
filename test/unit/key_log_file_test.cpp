// The key log in a file: that of a program, and that of the environment.

#include "engine_pair.hpp"
#include "print.hpp"
#include "temporary_directory.hpp"
#include "tls.hpp"

#include "system/appended_file.hpp"

#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace cotls::test::key_log_file_test {

namespace {

std::vector<std::string> lines_of(std::string const& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string whole(std::string const& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool connect(client_context const& client, server_context const& server) {
  return engine_pair(client, server, client_options().host("localhost")).connect();
}

// SSLKEYLOGFILE, as it is for a while.
class variable {
 public:
  explicit variable(char const* value) {
    if (char const* before = std::getenv(name)) before_ = before;
    set(value);
  }
  ~variable() { set(before_.empty() ? nullptr : before_.c_str()); }

 private:
  static constexpr char const* name = "SSLKEYLOGFILE";
  static void set(char const* value) {
    if (value) ::setenv(name, value, 1);
    else ::unsetenv(name);
  }
  std::string before_;
};

struct fixture {
  temporary_directory directory;
  std::string file = (directory.path() / "keys.log").string();
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(key_log_file, fixture)

BOOST_AUTO_TEST_CASE(what_a_function_is_told_is_in_the_file_a_line_each) {
  std::set<std::string> told;
  server_context const server =
      localhost_server().set_key_log([&](std::string_view line) { told.emplace(line); });
  BOOST_REQUIRE(connect(localhost_client().set_key_log_file(file), server));
  std::vector<std::string> const lines = lines_of(file);
  BOOST_TEST(std::set(lines.begin(), lines.end()) == told, boost::test_tools::per_element());
  BOOST_TEST(lines.size() == told.size());
  BOOST_TEST(!told.empty());
  BOOST_TEST(whole(file).ends_with('\n'));
}

BOOST_AUTO_TEST_CASE(a_new_file_is_its_owners_alone) {
  ::mode_t const before = ::umask(0);
  localhost_client().set_key_log_file(file);
  ::umask(before);
  struct stat seen {};
  BOOST_REQUIRE(::stat(file.c_str(), &seen) == 0);
  BOOST_TEST((seen.st_mode & 07777) == 0600u);
}

BOOST_AUTO_TEST_CASE(what_was_in_the_file_stays) {
  std::ofstream(file) << "# from another program\n";
  BOOST_REQUIRE(connect(localhost_client().set_key_log_file(file),
                        localhost_server().set_key_log_file(file)));
  std::vector<std::string> const lines = lines_of(file);
  BOOST_TEST(lines.front() == "# from another program");
  BOOST_TEST(lines.size() > 2u);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_opened_is_an_error_and_sets_nothing) {
  client_context client = localhost_client();
  BOOST_CHECK_EXCEPTION(client.set_key_log_file(directory.path() / "none" / "keys.log"), error,
                        [](error const& thrown) {
                          return thrown.code() == boost::system::errc::no_such_file_or_directory;
                        });
  BOOST_TEST((SSL_CTX_get_keylog_callback(client.native_handle()) == nullptr));
}

BOOST_AUTO_TEST_CASE(the_environments_file_is_written_when_it_is_asked_for) {
  variable const set(file.c_str());
  client_context client = localhost_client();
  BOOST_TEST(client.set_key_log_file());
  BOOST_REQUIRE(connect(client, localhost_server()));
  BOOST_TEST(!lines_of(file).empty());
}

BOOST_AUTO_TEST_CASE(and_never_when_it_is_not) {
  variable const set(file.c_str());
  BOOST_REQUIRE(connect(localhost_client(), localhost_server()));
  BOOST_TEST(!std::filesystem::exists(file));
}

BOOST_AUTO_TEST_CASE(without_the_variable_it_says_that_nothing_is_written) {
  for (char const* value : {static_cast<char const*>(nullptr), ""}) {
    variable const unset(value);
    client_context client = localhost_client();
    BOOST_TEST(!client.set_key_log_file());
    BOOST_TEST((SSL_CTX_get_keylog_callback(client.native_handle()) == nullptr));
    BOOST_TEST(connect(client, localhost_server()));
  }
}

BOOST_AUTO_TEST_CASE(lines_of_several_threads_and_files_stay_whole) {
  constexpr int each = 500;
  std::atomic<int> lost = 0;
  auto const write = [&](detail::appended_file& to, char letter) {
    for (int i = 0; i < each; ++i) lost += to.add(std::string(200, letter)) ? 0 : 1;
  };
  detail::appended_file one(file, "opening");
  detail::appended_file two(file, "opening");
  std::vector<std::thread> writers;
  writers.emplace_back([&] { write(one, 'a'); });
  writers.emplace_back([&] { write(one, 'b'); });
  writers.emplace_back([&] { write(two, 'c'); });
  for (std::thread& writer : writers) writer.join();
  BOOST_TEST(lost == 0);
  std::vector<std::string> const lines = lines_of(file);
  BOOST_TEST(lines.size() == 3u * each);
  for (std::string const& line : lines) {
    BOOST_TEST_REQUIRE(line == std::string(200, line.front()));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::key_log_file_test
