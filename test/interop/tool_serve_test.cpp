// `cotls serve`, and clients of others.

#include "tool_peers.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

namespace cotls::test::tool_serve_test {
namespace {

certificates const& pki() { return certificates::all(); }

// A directory that is served, and what is in it.
struct site {
  site() {
    large.resize(2'000'000);
    for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>('a' + i * 7 % 23);
    files.write("index.html", "<p>home\n");
    files.write("large.txt", large);
  }

  words www(words const& more = {}) const {
    return words{"--www", files.path().string(), "-v"} + more;
  }

  std::string large;
  temporary_directory files;
};

std::size_t count(std::string const& text, std::string const& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

// What each version of curl calls it.
std::size_t reused_connections(process const& client) {
  return count(client.errors(), "Re-using existing ") +
         count(client.errors(), "Reusing existing ");
}

words curl_to(tool_server const& server, words const& more, words const& paths = {"/"}) {
  words command = curl(more);
  for (auto const& path : paths) command.push_back(server.url(path));
  return command;
}

words gnutls_cli(tool_server const& server, words const& more = {}) {
  return words{"gnutls-cli", "--x509cafile", pki().root_file, "--port",
               std::to_string(server.port()), "localhost"} + more;
}

constexpr char python_client[] = R"(
import http.client, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
client = http.client.HTTPSConnection("localhost", int(sys.argv[1]), context=context, timeout=20)
for path in ("/", "/large.txt", "/missing"):
    client.request("GET", path)
    answer = client.getresponse()
    print(path, answer.status, len(answer.read()))
)";

constexpr char node_client[] = R"(
const fs = require('fs'), https = require('https');
const [port, root] = process.argv.slice(1);
const agent = new https.Agent({ca: fs.readFileSync(root), keepAlive: true, maxSockets: 1});
const get = path => new Promise((done, failed) => {
  https.get({host: 'localhost', port, path, agent}, answer => {
    let size = 0;
    answer.on('data', part => size += part.length);
    answer.on('end', () => { console.log(path, answer.statusCode, size); done(); });
  }).on('error', failed);
});
get('/').then(() => get('/large.txt')).then(() => get('/missing')).then(() => agent.destroy(),
  error => { console.log(error.code); process.exit(1); });
)";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tool_serve_peers, site)

BOOST_DATA_TEST_CASE(curl_fetches_pages_over_one_connection, both_versions, asked) {
  tool_server server(www());
  process client(curl_to(server, {"--tls-max", asked.limit}, {"/", "/large.txt", "/"}));
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST((client.output() == "<p>home\n" + large + "<p>home\n"));
  BOOST_TEST(says(client, std::string("SSL connection using ") + asked.name));
  BOOST_TEST(says(client, "ALPN: server accepted http/1.1"));
  BOOST_TEST(reused_connections(client) == 2u);
}

BOOST_AUTO_TEST_CASE(curl_asks_for_heads_parts_and_what_is_not_there) {
  tool_server server(www());
  process head(curl_to(server, {"-I"}, {"/large.txt", "/missing"}));
  BOOST_TEST(head.wait() == 0);
  BOOST_TEST(says(head, "HTTP/1.1 200 OK\r\n"));
  BOOST_TEST(says(head, "Content-Length: 2000000\r\n"));
  BOOST_TEST(says(head, "HTTP/1.1 404 Not Found\r\n"));
  BOOST_TEST(reused_connections(head) == 1u);

  process part(curl_to(server, {"--range", "1000-1999"}, {"/large.txt"}));
  BOOST_TEST(part.wait() == 0);
  BOOST_TEST(part.output() == large.substr(1000, 1000));
  BOOST_TEST(says(part, "Content-Range: bytes 1000-1999/2000000"));

  process beyond(curl_to(server, {"--fail", "--range", "9000000-"}, {"/large.txt"}));
  BOOST_TEST(beyond.wait() == 22);
  BOOST_TEST(says(beyond, "416"));
}

BOOST_AUTO_TEST_CASE(curl_fetches_a_page_anew_only_when_it_has_changed) {
  tool_server server(www());
  std::string const tag = (files.path() / "tag").string();
  std::string const page = (files.path() / "page").string();
  process first(curl_to(server, {"--etag-save", tag, "-o", page}));
  BOOST_TEST(first.wait() == 0);
  process second(curl_to(server, {"--etag-compare", tag}));
  BOOST_TEST(second.wait() == 0);
  BOOST_TEST(says(second, "HTTP/1.1 304 Not Modified"));
  BOOST_TEST(second.output() == "");
  process third(curl_to(server, {"--time-cond", page}));
  BOOST_TEST(third.wait() == 0);
  BOOST_TEST(says(third, "HTTP/1.1 304 Not Modified"));
}

BOOST_AUTO_TEST_CASE(curl_may_not_change_anything) {
  tool_server server(www());
  process client(curl_to(server, {"--data", "a=b"}));
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST(client.output() == "405 Method Not Allowed\n");
}

BOOST_AUTO_TEST_CASE(curl_speaks_http_1_0) {
  tool_server server(www());
  process client(curl_to(server, {"--http1.0"}, {"/large.txt"}));
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST((client.output() == large));
}

BOOST_AUTO_TEST_CASE(curl_cannot_leave_the_directory) {
  files.write("../outside-" + files.path().filename().string(), "a secret");
  std::filesystem::path const outside =
      files.path().parent_path() / ("outside-" + files.path().filename().string());
  std::filesystem::create_symlink(outside, files.path() / "link");
  tool_server server(www());
  process client(curl_to(server, {"--path-as-is"},
                         {"/../" + outside.filename().string(),
                          "/%2e%2e/" + outside.filename().string(), "/link"}));
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST(client.output() == "400 Bad Request\n400 Bad Request\n404 Not Found\n");
  std::filesystem::remove(outside);
}

BOOST_AUTO_TEST_CASE(curl_refuses_what_it_does_not_trust) {
  tool_server server(www());
  process stranger(curl({server.url("/")}, pki().strangers_root_file));
  BOOST_TEST(stranger.wait() == 60);
  BOOST_TEST(server.program().prints("unknown_ca"));
}

BOOST_AUTO_TEST_CASE(curl_is_told_that_plain_http_is_not_spoken) {
  tool_server server(www());
  for (std::string const host : {"localhost", "127.0.0.1"}) {
    process client(curl({"http://" + host + ":" + std::to_string(server.port()) + "/"}));
    BOOST_TEST(client.wait() == 0);
    BOOST_TEST(client.output() == "400 Bad Request: this port speaks HTTPS; use a https:// URL\n");
    BOOST_TEST(says(client, "HTTP/1.1 400 Bad Request"));
  }
}

BOOST_AUTO_TEST_CASE(curl_trusts_the_certificate_that_is_made_for_it) {
  serving_tool server(www());
  process client(curl({server.url("/")}, server.root_file()));
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST(client.output() == "<p>home\n");
}

BOOST_AUTO_TEST_CASE(curl_shows_its_certificate_when_it_must) {
  tool_server server(www({"--client-ca", pki().root_file}));
  chain_files const ours(pki().client);
  process known(curl_to(server, {"--cert", ours.chain, "--key", ours.key}));
  BOOST_TEST(known.wait() == 0);
  process unknown(curl_to(server, {}));
  BOOST_TEST(unknown.wait() == 56);
}

BOOST_DATA_TEST_CASE(openssl_fetches_a_page, both_versions, asked) {
  tool_server server(www());
  process client(s_client(server.port(), {asked.option, "-ign_eof", "-alpn", "h2,http/1.1"}));
  client.give("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST(client.output().ends_with("\r\n\r\n<p>home\n"));
  BOOST_TEST(says(client, "Verification: OK"));
  BOOST_TEST(says(client, std::string("Protocol version: ") + asked.name));
}

BOOST_AUTO_TEST_CASE(openssl_is_echoed) {
  tool_server server({"--echo"});
  process client(s_client(server.port()));
  client.give("to and fro\n");
  BOOST_TEST(client.prints("to and fro\n"));
}

BOOST_AUTO_TEST_CASE(openssl_talks_with_a_command) {
  tool_server server({"--exec", "while read word; do echo \"<$word>\"; done"});
  process client(s_client(server.port(), {"-ign_eof"}));
  client.give("one\ntwo\n");
  BOOST_TEST(client.prints("<one>\n<two>\n"));
}

BOOST_AUTO_TEST_CASE(gnutls_is_echoed_and_resumes) {
  tool_server server({"--echo"});
  process client(gnutls_cli(server));
  client.give("to and fro\n");
  BOOST_TEST(client.prints("to and fro\n"));
  client.end_input();
  BOOST_TEST(client.wait() == 0);

  process again(gnutls_cli(server, {"--resume"}));
  BOOST_TEST(again.prints("This is a resumed session"));
  again.give("once more\n");
  BOOST_TEST(again.prints("once more\n"));
}

BOOST_AUTO_TEST_CASE(gnutls_refuses_what_it_does_not_trust) {
  tool_server server({"--echo", "-v"});
  process client({"gnutls-cli", "--x509cafile", pki().strangers_root_file, "--port",
                  std::to_string(server.port()), "localhost"});
  BOOST_TEST(client.wait() == 1);
  BOOST_TEST(says(client, "The certificate is NOT trusted."));
}

BOOST_AUTO_TEST_CASE(python_fetches_pages_over_one_connection) {
  tool_server server(www());
  process client({"python3", "-c", python_client, std::to_string(server.port()),
                  pki().root_file});
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST(client.output() == "/ 200 8\n/large.txt 200 2000000\n/missing 404 14\n");
}

BOOST_AUTO_TEST_CASE(node_fetches_pages_over_one_connection) {
  tool_server server(www());
  process client({"node", "-e", node_client, std::to_string(server.port()), pki().root_file});
  BOOST_TEST(client.wait() == 0);
  BOOST_TEST(client.output() == "/ 200 8\n/large.txt 200 2000000\n/missing 404 14\n");
  process stranger({"node", "-e", node_client, std::to_string(server.port()),
                    pki().strangers_root_file});
  BOOST_TEST(stranger.wait() == 1);
  BOOST_TEST(stranger.output() == "UNABLE_TO_GET_ISSUER_CERT_LOCALLY\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::tool_serve_test
