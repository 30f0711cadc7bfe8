// The answers to requests for the files of a directory; nothing beyond it.

#include "file_site.hpp"

#include "temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <string>

namespace cotls::tool {
namespace {

namespace fs = std::filesystem;

// A directory with files inside another one, which holds a secret.
struct site_on_disk {
  site_on_disk() {
    fs::create_directories(root / "dir" / "deep");
    fs::create_directory(root / ".git");
    outside.write("secret", "a secret");
    outside.write("www/index.html", "<p>home");
    outside.write("www/a b.txt", "0123456789");
    outside.write("www/dir/index.html", "<p>dir");
    outside.write("www/.git/config", "hidden");
    outside.write("www/empty", "");
    fs::create_symlink("../secret", root / "out");
    fs::create_symlink("/etc", root / "etc");
    fs::create_symlink("a b.txt", root / "in");
    fs::create_symlink("loop", root / "loop");
    ::mkfifo((root / "fifo").c_str(), 0600);
  }

  http_answer ask(std::string const& method, std::string const& target,
                  std::vector<http_request::field> fields = {}, bool keep_alive = true) const {
    http_request request;
    request.method = method;
    request.target = target;
    request.fields = std::move(fields);
    return file_site(root).answer(request, keep_alive, 784111777);
  }

  http_answer get(std::string const& target, std::vector<http_request::field> fields = {}) const {
    return ask("GET", target, std::move(fields));
  }

  test::temporary_directory outside;
  fs::path root = outside.path() / "www";
};

unsigned status(http_answer const& answer) { return static_cast<unsigned>(answer.status); }

bool says(http_answer const& answer, std::string const& text) {
  return answer.head.find(text) != std::string::npos;
}

// The part of the file that would be sent.
std::string content(http_answer const& answer) {
  if (!answer.file) return "no file";
  std::string text(answer.part.length, '\0');
  ssize_t const got = ::pread(answer.file.get(), text.data(), text.size(),
                              static_cast<off_t>(answer.part.first));
  BOOST_TEST(got == static_cast<ssize_t>(text.size()));
  return text;
}

// The value of a field of the answer.
std::string field(http_answer const& answer, std::string const& name) {
  std::size_t const at = answer.head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "none";
  std::size_t const start = at + name.size() + 4;
  return answer.head.substr(start, answer.head.find("\r\n", start) - start);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(file_sites, site_on_disk)

BOOST_AUTO_TEST_CASE(a_file_is_sent) {
  http_answer const answer = get("/a%20b.txt?query");
  BOOST_TEST(answer.head.starts_with("HTTP/1.1 200 OK\r\n"));
  BOOST_TEST(answer.head.ends_with("\r\n\r\n"));
  BOOST_TEST(field(answer, "Content-Type") == "text/plain; charset=utf-8");
  BOOST_TEST(field(answer, "Content-Length") == "10");
  BOOST_TEST(field(answer, "Date") == "Sun, 06 Nov 1994 08:49:37 GMT");
  BOOST_TEST(field(answer, "X-Content-Type-Options") == "nosniff");
  BOOST_TEST(field(answer, "Connection") == "none");
  BOOST_TEST(content(answer) == "0123456789");
}

BOOST_AUTO_TEST_CASE(a_directory_shows_its_index) {
  BOOST_TEST(content(get("/")) == "<p>home");
  BOOST_TEST(content(get("/dir/")) == "<p>dir");
  BOOST_TEST(content(get("/dir/.")) == "<p>dir");
  BOOST_TEST(status(get("/dir/deep/")) == 404u);
}

BOOST_AUTO_TEST_CASE(a_directory_without_its_slash_is_sent_there) {
  http_answer const answer = get("/dir");
  BOOST_TEST(status(answer) == 301u);
  BOOST_TEST(field(answer, "Location") == "/dir/");
  BOOST_TEST(field(get("/dir?a=b?c"), "Location") == "/dir/?a=b?c");
}

// "//host/.." as a Location would be another host.
BOOST_AUTO_TEST_CASE(nobody_is_sent_to_another_host) {
  BOOST_TEST(field(get("//dir"), "Location") == "/dir/");
  BOOST_TEST(field(get("/dir/..//dir"), "Location") == "/dir/");
}

BOOST_AUTO_TEST_CASE(head_is_get_without_content) {
  http_answer const answer = ask("HEAD", "/a%20b.txt");
  BOOST_TEST(field(answer, "Content-Length") == "10");
  BOOST_TEST(answer.part.length == 0u);
  http_answer const missing = ask("HEAD", "/missing");
  BOOST_TEST(field(missing, "Content-Length") == "14");
  BOOST_TEST(missing.head.ends_with("\r\n\r\n"));
}

BOOST_AUTO_TEST_CASE(other_methods_are_not_allowed) {
  for (char const* method : {"POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE"}) {
    http_answer const answer = ask(method, "/a%20b.txt");
    BOOST_TEST(status(answer) == 405u);
    BOOST_TEST(field(answer, "Allow") == "GET, HEAD");
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_not_found) {
  BOOST_TEST(status(get("/missing")) == 404u);
  BOOST_TEST(status(get("/a%20b.txt/x")) == 404u);
  BOOST_TEST(status(get("/" + std::string(300, 'a'))) == 404u);
  BOOST_TEST(get("/missing").head.ends_with("\r\n\r\n404 Not Found\n"));
}

BOOST_AUTO_TEST_CASE(the_directory_cannot_be_left) {
  for (char const* target : {"/out", "/etc/passwd", "/loop", "/in/../out"}) {
    BOOST_TEST(status(get(target)) == 404u, target);
  }
  BOOST_TEST(status(get("/../secret")) == 400u);
  BOOST_TEST(status(get("/%2e%2e/secret")) == 400u);
  BOOST_TEST(status(get("/a%00b")) == 400u);
}

BOOST_AUTO_TEST_CASE(a_link_inside_is_followed) { BOOST_TEST(content(get("/in")) == "0123456789"); }

BOOST_AUTO_TEST_CASE(hidden_files_are_not_there) {
  BOOST_TEST(status(get("/.git/config")) == 404u);
  BOOST_TEST(status(get("/.git")) == 404u);
}

// Opening a FIFO would otherwise wait for a writer.
BOOST_AUTO_TEST_CASE(what_is_no_file_is_not_there) {
  int const listening = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (root / "socket").c_str(), sizeof address.sun_path - 1);
  BOOST_TEST(::bind(listening, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  BOOST_TEST(status(get("/fifo")) == 404u);
  BOOST_TEST(status(get("/socket")) == 404u);
  ::close(listening);
}

BOOST_AUTO_TEST_CASE(a_part_is_sent_as_one) {
  http_answer const answer = get("/a%20b.txt", {{"Range", "bytes=2-4"}});
  BOOST_TEST(status(answer) == 206u);
  BOOST_TEST(field(answer, "Content-Range") == "bytes 2-4/10");
  BOOST_TEST(field(answer, "Content-Length") == "3");
  BOOST_TEST(content(answer) == "234");
}

BOOST_AUTO_TEST_CASE(a_part_beyond_the_end_is_refused) {
  http_answer const answer = get("/a%20b.txt", {{"Range", "bytes=10-"}});
  BOOST_TEST(status(answer) == 416u);
  BOOST_TEST(field(answer, "Content-Range") == "bytes */10");
  BOOST_TEST(status(get("/empty", {{"Range", "bytes=0-"}})) == 416u);
}

BOOST_AUTO_TEST_CASE(a_range_is_for_get_alone) {
  BOOST_TEST(status(ask("HEAD", "/a%20b.txt", {{"Range", "bytes=2-4"}})) == 200u);
}

BOOST_AUTO_TEST_CASE(a_client_that_has_it_is_told_so) {
  std::string const tag = field(get("/in"), "ETag");
  http_answer const answer = get("/in", {{"If-None-Match", tag}, {"Range", "bytes=2-4"}});
  BOOST_TEST(status(answer) == 304u);
  BOOST_TEST(field(answer, "ETag") == tag);
  BOOST_TEST(field(answer, "Content-Length") == "none");
  BOOST_TEST(answer.part.length == 0u);
  BOOST_TEST(status(get("/in", {{"If-Match", "\"other\""}})) == 412u);
}

BOOST_AUTO_TEST_CASE(a_changed_file_has_another_tag) {
  std::string const tag = field(get("/empty"), "ETag");
  BOOST_TEST(field(get("/empty"), "ETag") == tag);
  fs::path const file = root / "empty";
  fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(1));
  BOOST_TEST(field(get("/empty"), "ETag") != tag);
}

BOOST_AUTO_TEST_CASE(an_empty_file_is_a_file) {
  http_answer const answer = get("/empty");
  BOOST_TEST(status(answer) == 200u);
  BOOST_TEST(field(answer, "Content-Length") == "0");
}

BOOST_AUTO_TEST_CASE(the_end_of_the_connection_is_announced) {
  BOOST_TEST(field(ask("GET", "/", {}, false), "Connection") == "close");
  http_answer const refused = file_site::refuse(http_status::bad_request, 0);
  BOOST_TEST(field(refused, "Connection") == "close");
  BOOST_TEST(says(refused, "\r\n\r\n400 Bad Request\n"));
}

BOOST_AUTO_TEST_CASE(a_client_of_1_0_is_told_that_it_goes_on) {
  http_request request;
  request.method = "GET";
  request.target = "/";
  request.minor_version = 0;
  BOOST_TEST(field(file_site(root).answer(request, true, 0), "Connection") == "keep-alive");
}

BOOST_AUTO_TEST_CASE(what_is_no_directory_is_no_site) {
  BOOST_CHECK_EXCEPTION(file_site(root / "in"), std::exception, [](std::exception const& why) {
    return std::string(why.what()).find("Not a directory") != std::string::npos;
  });
  BOOST_CHECK_THROW(file_site(root / "missing"), std::exception);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::tool
