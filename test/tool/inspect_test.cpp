// `cotls inspect` of a `cotls serve`; test/interop has servers of others.

#include "engine_pair.hpp"
#include "process.hpp"
#include "temporary_directory.hpp"
#include "tls.hpp"
#include "tool.hpp"

#include <cotls/blocking.hpp>
#include <cotls/identity.hpp>
#include <cotls/listener.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <list>
#include <string>
#include <thread>
#include <vector>

namespace cotls::test {
namespace {

namespace json = boost::json;

process inspecting(serving_tool const& server, std::vector<std::string> more = {}) {
  std::vector<std::string> words{"inspect", server.address()};
  words.insert(words.end(), more.begin(), more.end());
  return process(tool(words));
}

bool says(process const& ended, std::string const& text) {
  return ended.output().find(text) != std::string::npos;
}

// A server that lets one client in and does not answer others: its queue is full, so that the
// system drops each further SYN.
class one_client {
 public:
  explicit one_client(identity const& who) : who_(who), acceptor_(context_) {
    acceptor_.open(asio::ip::tcp::v4());
    acceptor_.bind({asio::ip::address_v4::loopback(), 0});
    acceptor_.listen(0);
    address_ = acceptor_.local_endpoint();
    thread_ = std::jthread([this] { serve(); });
  }

  // Returns how the client's end came, once it has.
  error_code end() {
    thread_.join();
    return ended_;
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(address_.port()); }

 private:
  void serve() {
    asio::ip::tcp::socket only = acceptor_.accept();
    while (fillers_.size() < 4) {
      fillers_.emplace_back(context_).async_connect(address_, asio::detached);
    }
    blocking::stream client(only.release(), server_context().use(who_));
    char byte = 0;
    client.handshake(ended_);
    client.read(asio::buffer(&byte, 1), ended_);
  }

  identity const who_;
  asio::io_context context_;
  asio::ip::tcp::acceptor acceptor_;
  asio::ip::tcp::endpoint address_;
  std::list<asio::ip::tcp::socket> fillers_;
  error_code ended_;
  std::jthread thread_;
};

// A server that refuses clients whose ALPN protocols it does not have.
class refusing_server {
 public:
  refusing_server()
      : root_(directory_.write("root.pem", who_.chain().leaf().pem())),
        listener_(context_.get_executor(), {asio::ip::address_v4::loopback(), 0},
                  server_context().use(who_).set_alpn({"three"}, alpn_mismatch::refuse)) {
    accept();   // first, since a context that has nothing to do has run
    thread_ = std::jthread([this] { context_.run(); });
  }

  ~refusing_server() { context_.stop(); }

  std::string address() const { return "localhost:" + std::to_string(listener_.port()); }
  std::string const& root_file() const { return root_; }

 private:
  void accept() {
    listener_.async_accept([this](error_code code, tcp_stream guest) {
      if (code) return;
      guests_.push_back(std::move(guest));
      accept();
    });
  }

  identity const who_ = make_self_signed({"localhost"});
  temporary_directory directory_;
  std::string const root_;
  asio::io_context context_;
  std::list<tcp_stream> guests_;
  listener listener_;
  std::jthread thread_;
};

// The group that OpenSSL agrees on with itself; which one that is depends on its version.
std::string usual_group() {
  engine_pair both(localhost_client(), localhost_server(), client_options().host("localhost"));
  BOOST_REQUIRE(both.connect());
  return both.client.info().group;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tool_inspect)

BOOST_AUTO_TEST_CASE(a_verified_server_is_shown_in_full) {
  serving_tool server({"--echo", "--alpn", "h2"});
  process looking = inspecting(server, {"--ca", server.root_file()});
  BOOST_TEST(looking.wait() == 0);
  BOOST_TEST(looking.errors() == "");
  auto const own = certificate_chain::from_pem_file(server.root_file()).leaf();
  std::string const port = std::to_string(server.port());
  BOOST_TEST(looking.output().starts_with("localhost:" + port + " (127.0.0.1:" + port + ")\n"));
  for (std::string const& line :
       {std::string("verified    yes"), std::string("version     TLSv1.3"),
        std::string("suite       TLS_AES_256_GCM_SHA384"), std::string("group       ") + usual_group(),
        std::string("ALPN        h2"), std::string("resumption  yes"),
        std::string("subject     CN=localhost"),
        std::string("names       localhost, 127.0.0.1, ::1"),
        std::string("key         EC P-256"), std::string("signature   ecdsa-with-SHA256"),
        "serial      " + own.serial_number(), "SHA-256     " + own.fingerprint()}) {
    BOOST_TEST(says(looking, "\n  " + line + "\n"), line);
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_is_not_verified_is_shown_all_the_same) {
  serving_tool server({"--echo"});
  process looking = inspecting(server);
  BOOST_TEST(looking.wait() == 4);
  BOOST_TEST(looking.errors() == "");
  BOOST_TEST(says(looking, "  verified    NO: the peer's certificate is self-signed and not a "
                           "trusted root (depth 0, CN=localhost)"));
  BOOST_TEST(says(looking, "  version     TLSv1.3\n"));
  BOOST_TEST(says(looking, "  resumption  yes\n"));
}

BOOST_AUTO_TEST_CASE(another_host_is_a_reason) {
  serving_tool server({"--echo", "--name", "elsewhere.test"});
  process looking = inspecting(server, {"--ca", server.root_file()});
  BOOST_TEST(looking.wait() == 4);
  BOOST_TEST(says(looking, "NO: the peer's certificate is for another host name"));
  process right =
      inspecting(server, {"--ca", server.root_file(), "--servername", "elsewhere.test"});
  BOOST_TEST(right.wait() == 0);
}

BOOST_AUTO_TEST_CASE(programs_are_told_the_same) {
  serving_tool server({"--echo"});
  process looking = inspecting(server, {"--ca", server.root_file(), "--json", "--tls1.2"});
  BOOST_TEST(looking.wait() == 0);
  json::object const seen = json::parse(looking.output()).as_object();
  BOOST_TEST(seen.at("host").as_string() == "localhost");
  BOOST_TEST(seen.at("port").as_int64() == server.port());
  BOOST_TEST(seen.at("address").as_string() == "127.0.0.1");
  BOOST_TEST(seen.at("verified").as_bool());
  BOOST_TEST(seen.at("reason").is_null());
  BOOST_TEST(seen.at("refused").is_null());
  BOOST_TEST(seen.at("version").as_string() == "TLSv1.2");
  BOOST_TEST(seen.at("alpn").is_null());
  BOOST_TEST(seen.at("resumption").as_string() == "resumed");
  json::object const& leaf = seen.at("chain").as_array().at(0).as_object();
  BOOST_TEST(leaf.at("subject").as_string() == "CN=localhost");
  BOOST_TEST(leaf.at("names").as_array().size() == 3u);
  BOOST_TEST(leaf.at("not_after").as_string().ends_with("Z"));

  process wrong = inspecting(server, {"--json"});
  BOOST_TEST(wrong.wait() == 4);
  json::object const refused = json::parse(wrong.output()).as_object();
  BOOST_TEST(!refused.at("verified").as_bool());
  BOOST_TEST(refused.at("reason").as_string().starts_with("the peer's certificate"));
}

BOOST_AUTO_TEST_CASE(a_server_that_answers_only_once_is_shown) {
  temporary_directory const directory;
  identity const who = make_self_signed({"127.0.0.1"});
  std::string const root = directory.write("root.pem", who.chain().leaf().pem());
  one_client server(who);
  process looking(tool({"inspect", server.address(), "--ca", root, "--timeout", "2"}));
  BOOST_TEST(looking.wait() == 0);
  BOOST_TEST(says(looking, "resumption  unknown: the second connection failed\n"));
  BOOST_TEST(server.end() == asio::error::eof);   // with close_notify
}

BOOST_AUTO_TEST_CASE(a_server_that_refuses_us_says_so) {
  serving_tool other({"--echo"});
  serving_tool server({"--echo", "--client-ca", other.root_file()});
  process looking = inspecting(server, {"--ca", server.root_file()});
  BOOST_TEST(looking.wait() == 4);
  BOOST_TEST(says(looking, "[tls.alert: certificate_required]"));
}

// TLS 1.2 refuses inside the handshake, when most of it was seen.
BOOST_AUTO_TEST_CASE(a_server_that_refuses_the_handshake_is_shown_as_far_as_it_was_seen) {
  serving_tool other({"--echo"});
  serving_tool server({"--echo", "--client-ca", other.root_file()});
  process looking = inspecting(server, {"--ca", server.root_file(), "--tls1.2"});
  BOOST_TEST(looking.wait() == 4);
  BOOST_TEST(looking.errors() == "");
  BOOST_TEST(says(looking, "  verified    yes\n"));
  BOOST_TEST(says(looking, "  refused     the peer asks for a certificate and was given none"));
  BOOST_TEST(says(looking, "  version     TLSv1.2\n"));
  BOOST_TEST(says(looking, "  subject     CN=localhost\n"));

  process unverified = inspecting(server, {"--json", "--tls1.2"});
  BOOST_TEST(unverified.wait() == 4);
  json::object const seen = json::parse(unverified.output()).as_object();
  BOOST_TEST(!seen.at("verified").as_bool());
  BOOST_TEST(seen.at("reason").as_string().starts_with("the peer's certificate is self-signed"));
  BOOST_TEST(seen.at("refused").as_string().starts_with("the peer asks for a certificate"));
  BOOST_TEST(seen.at("address").is_null());
  BOOST_TEST(seen.at("resumption").is_null());
  BOOST_TEST(seen.at("chain").as_array().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_speak_tls_is_shown_as_that) {
  asio::io_context context;
  asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  std::string const address =
      "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
  process looking(tool({"inspect", address}));
  asio::ip::tcp::socket guest = acceptor.accept();
  asio::write(guest, asio::buffer("220 mail.example ESMTP\r\n", 24));
  BOOST_TEST(looking.wait() == 4);
  BOOST_TEST(looking.errors() == "");
  BOOST_TEST(looking.output().starts_with(address + "\n  verified    NO: no certificate came\n"
                                          "  refused     the peer does not speak TLS here"));
  BOOST_TEST(says(looking, "  version     none\n"));
}

BOOST_AUTO_TEST_CASE(an_offer_of_ours_that_is_refused_is_taken_back) {
  refusing_server server;
  process looking(tool({"inspect", server.address(), "--ca", server.root_file()}));
  BOOST_TEST(looking.wait() == 0);
  BOOST_TEST(says(looking, "  verified    yes\n"));
  BOOST_TEST(says(looking, "  ALPN        none: the server refuses those that were offered\n"));

  process asked(tool({"inspect", server.address(), "--ca", server.root_file(), "--json", "--alpn",
                      "one,two"}));
  BOOST_TEST(asked.wait() == 4);
  json::object const seen = json::parse(asked.output()).as_object();
  BOOST_TEST(seen.at("verified").as_bool());
  BOOST_TEST(seen.at("alpn_refused").as_bool());
  BOOST_TEST(seen.at("alpn").is_null());
  BOOST_TEST(seen.at("refused").as_string().starts_with("the peer speaks none of the ALPN"));
  BOOST_TEST(seen.at("version").as_string() == "TLSv1.3");
}

BOOST_AUTO_TEST_CASE(a_url_is_inspected) {
  serving_tool server({"--echo"});
  process looking(tool({"inspect", server.url("/page"), "--ca", server.root_file()}));
  BOOST_TEST(looking.wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test
