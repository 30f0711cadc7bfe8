// Each of the three knows what its peer says, in its own words, of a certificate that is right and
// of one that is not; an outcome is as claimed only when both ends say what they should.

#include "demo_peers.hpp"

#include "process.hpp"
#include "run.hpp"

#include <cotls/connect.hpp>

#include <boost/asio/read_until.hpp>

#include <openssl/x509_vfy.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace cotls::demo {

namespace {

using test::process;
using words = std::vector<std::string>;

constexpr auto patience = std::chrono::seconds(8);

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool is_address(scenario const& planned) {
  return std::string_view(planned.host) == "127.0.0.1";
}

bool only_tls1_2(scenario const& planned) {
  return std::string_view(planned.version) == "TLSv1.2";
}

// The rest of the line after the first occurrence of its beginning.
std::string line_after(std::string_view text, std::string_view beginning) {
  auto const found = text.find(beginning);
  if (found == std::string_view::npos) return {};
  text.remove_prefix(found + beginning.size());
  return std::string(text.substr(0, text.find('\n')));
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text + "  ";
}

outcome verified(connection_info const& agreed) {
  return {true, padded("verified", 8) + padded(agreed.version, 7) + padded(agreed.suite, 29) +
                    padded(agreed.group, 6) + agreed.alpn};
}

outcome refused(std::string const& why) { return {true, padded("refused", 8) + why}; }

outcome differs(std::string const& what, process const& peer) {
  return {false, what + "; the other program said:\n" + peer.output() + peer.errors()};
}

char const* reason_of_curl(flaw expected) {
  switch (expected) {
    case flaw::none: break;
    case flaw::wrong_host_name: return "no alternative certificate subject name matches";
    case flaw::unknown_authority: return "self-signed certificate";
    case flaw::expired: return "certificate has expired";
  }
  return "";
}

char const* reason_of_s_client(flaw expected) {
  switch (expected) {
    case flaw::none: break;
    case flaw::wrong_host_name: return "hostname mismatch";
    case flaw::unknown_authority: return "self-signed certificate";
    case flaw::expired: return "certificate has expired";
  }
  return "";
}

int reason_of_cotls(flaw expected) {
  switch (expected) {
    case flaw::none: break;
    case flaw::wrong_host_name: return X509_V_ERR_HOSTNAME_MISMATCH;
    case flaw::unknown_authority: return X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
    case flaw::expired: return X509_V_ERR_CERT_HAS_EXPIRED;
  }
  return X509_V_OK;
}

// No .curlrc, no proxy, no other root than the file's, no name server.
words curl_command(scenario const& planned) {
  std::filesystem::path const roots = planned.trusted.certificate_file;
  words command{"curl", "-q", "--noproxy", "*", "--silent", "--show-error", "--verbose",
                "--max-time", "5", "--cacert", roots, "--capath", roots.parent_path(),
                "--connect-to", "::127.0.0.1:",
                "https://" + std::string(planned.host) + ":" +
                    std::to_string(planned.shown.server.port()) + "/"};
  if (only_tls1_2(planned)) command.insert(command.end(), {"--tls-max", "1.2"});
  return command;
}

words s_client_command(scenario const& planned) {
  words command{"openssl", "s_client", "-connect",
                "127.0.0.1:" + std::to_string(planned.shown.server.port()),
                "-CAfile", planned.trusted.certificate_file, "-no-CApath", "-no-CAstore",
                "-verify_return_error", "-brief", "-ign_eof", "-alpn", "http/1.1",
                is_address(planned) ? "-verify_ip" : "-verify_hostname", planned.host};
  if (!is_address(planned)) command.insert(command.end(), {"-servername", planned.host});
  if (only_tls1_2(planned)) command.push_back("-tls1_2");
  return command;
}

words s_server_command(scenario const& planned) {
  words command{"openssl", "s_server", "-accept", "127.0.0.1:0", "-rev", "-alpn", "http/1.1",
                "-cert", planned.shown.certificate_file, "-key", planned.shown.key_file};
  if (only_tls1_2(planned)) command.push_back("-tls1_2");
  return command;
}

// What our client learned of the connection.
struct conversation {
  connection_info agreed;
  bool verified = false;
  std::string answer;
  std::optional<error> failure;
};

asio::awaitable<void> converse(scenario const& planned, int port, conversation& had) {
  client_context context;
  context.add_root(planned.trusted.who.chain().leaf());
  connect_options const options = connect_options()
                                      .verify_host(planned.host)
                                      .alpn("http/1.1")
                                      .timeout(std::chrono::seconds(5));
  try {
    tcp_stream server = co_await async_connect("127.0.0.1", port, context, options);
    had.agreed = server.info();
    had.verified = server.peer().verified();
    co_await server.async_write(asio::buffer(std::string_view("cotls\n")));
    co_await asio::async_read_until(server, asio::dynamic_buffer(had.answer, 100), '\n',
                                    asio::use_awaitable);
    co_await server.async_shutdown();
  } catch (error const& failure) {
    had.failure = failure;
  }
}

}  // namespace

outcome fetch_with_curl(scenario const& planned) {
  process curl(curl_command(planned));
  int const status = curl.wait(patience);
  std::optional<connection_info> const agreed = planned.shown.server.take_answered();

  if (planned.expected != flaw::none) {
    constexpr int verification_failed = 60;
    std::string const why = line_after(curl.errors(), "curl: (60) ");
    bool const right = status == verification_failed && !agreed && curl.output().empty() &&
                       contains(why, reason_of_curl(planned.expected));
    return right ? refused(why) : differs("not refused as it should be", curl);
  }
  bool const right =
      status == 0 && agreed && agreed->version == planned.version &&
      curl.output() == https_server::page() &&
      contains(curl.errors(), "SSL certificate verify ok.") &&
      contains(curl.errors(), "SSL connection using " + agreed->version + " / " + agreed->suite);
  return right ? verified(*agreed) : differs("curl did not fetch the page", curl);
}

outcome fetch_with_s_client(scenario const& planned) {
  process s_client(s_client_command(planned));
  s_client.give("GET / HTTP/1.1\r\nHost: " + std::string(planned.host) +
                "\r\nConnection: close\r\n\r\n");
  int const status = s_client.wait(patience);
  std::optional<connection_info> const agreed = planned.shown.server.take_answered();

  if (planned.expected != flaw::none) {
    std::string const said = line_after(s_client.errors(), "verify error:num=");
    std::string const why = said.substr(said.find(':') + 1);
    bool const right = status != 0 && !agreed && s_client.output().empty() &&
                       why == reason_of_s_client(planned.expected);
    return right ? refused(why) : differs("not refused as it should be", s_client);
  }
  bool const right = status == 0 && agreed && agreed->version == planned.version &&
                     s_client.output().ends_with("\r\n\r\n" + https_server::page()) &&
                     contains(s_client.errors(), "Verification: OK\n") &&
                     contains(s_client.errors(), "Protocol version: " + agreed->version + "\n") &&
                     contains(s_client.errors(), "Ciphersuite: " + agreed->suite + "\n");
  return right ? verified(*agreed) : differs("s_client did not fetch the page", s_client);
}

outcome talk_to_s_server(scenario const& planned) {
  process s_server(s_server_command(planned));
  int const port = test::accepting_port(s_server);
  conversation had;
  asio::io_context context;
  test::run(context, converse(planned, port, had));

  if (planned.expected != flaw::none) {
    if (!had.failure) return differs("not refused as it should be", s_server);
    std::string const whole = had.failure->what();
    bool const right = had.failure->verify_result() == reason_of_cotls(planned.expected);
    if (!right) return {false, "refused, but for another reason: " + whole};
    std::string const why = line_after(whole, "failed: ");
    return refused(why.substr(0, why.find(" (")));
  }
  if (had.failure) return {false, had.failure->what()};
  bool const right = had.verified && had.agreed.version == planned.version &&
                     had.answer == "sltoc\n" &&
                     s_server.prints("Ciphersuite: " + had.agreed.suite + "\n", patience);
  return right ? verified(had.agreed) : differs("the conversation went wrong", s_server);
}

}  // namespace cotls::demo
