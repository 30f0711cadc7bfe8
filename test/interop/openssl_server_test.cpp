// `openssl s_server`, and cotls as its client, by coroutine and by blocking calls.

#include "certificates.hpp"
#include "print.hpp"
#include "process.hpp"
#include "programs.hpp"
#include "run.hpp"

#include <cotls/blocking.hpp>
#include <cotls/connect.hpp>

#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/x509_vfy.h>

#include <functional>
#include <string>
#include <vector>

namespace cotls::test::openssl_server_test {
namespace {

namespace data = boost::unit_test::data;
certificates const& pki() { return certificates::all(); }

/// What one connection gave, seen from the client.
struct exchange {
  connection_info info;
  bool verified = false;
  std::string answer;
};

/// How and to what a client connects.
struct target {
  int port;
  client_context context = certificates::trust(pki().root);
  connect_options options = connect_options().verify_host("localhost");
};

asio::awaitable<void> converse(target const& to, std::string const& question, exchange& done) {
  tcp_stream peer = co_await async_connect("127.0.0.1", to.port, to.context, to.options);
  done.info = peer.info();
  done.verified = peer.peer().verified();
  co_await peer.async_write(asio::buffer(question));
  co_await asio::async_read_until(peer, asio::dynamic_buffer(done.answer), '\n',
                                  asio::use_awaitable);
  co_await peer.async_shutdown();
}

exchange by_coroutine(target const& to, std::string const& question) {
  asio::io_context context;
  exchange done;
  run(context, converse(to, question, done));
  return done;
}

exchange by_blocking_calls(target const& to, std::string const& question) {
  blocking::stream peer = blocking::connect("127.0.0.1", to.port, to.context, to.options);
  peer.set_timeout(process::patience);
  exchange done{peer.info(), peer.peer().verified(), {}};
  peer.write(asio::buffer(question));
  done.answer.resize(question.size());
  peer.read(asio::buffer(done.answer));
  peer.shutdown();
  return done;
}

/// A way to connect to `-rev`, say "cotls" and read the answer; throws what cotls throws.
struct way {
  char const* name;
  exchange (*converse)(target const& to, std::string const& question);

  exchange talk(target const& to) const { return converse(to, "cotls\n"); }
};
std::ostream& operator<<(std::ostream& out, way const& one) { return out << one.name; }

auto const both_ways =
    data::make({way{"async_connect", by_coroutine}, way{"blocking::connect", by_blocking_calls}});

// The failure that the conversation ends with; it must end with one. When it is the peer that
// refuses a client's certificate, TLS 1.3 lets the handshake end first (T7).
error refusal(way const& how, target const& to) {
  try {
    how.talk(to);
  } catch (error const& failure) {
    return failure;
  } catch (boost::system::system_error const& failure) {
    return error(failure.code());
  }
  throw std::runtime_error("the connection was not refused");
}

bool says(error const& failure, std::string_view text) {
  return std::string_view(failure.what()).find(text) != std::string_view::npos;
}

words requiring_a_certificate() {
  return {"-rev", "-Verify", "3", "-verify_return_error", "-CAfile", pki().root_file};
}

words having_another_certificate_for_localhost() {
  auto const& another = pki().localhost.files;
  return {"-rev", "-servername", "localhost", "-servername_fatal",
          "-cert2", another.certificate, "-key2", another.key};
}

client_context with_certificate(entity const& who) {
  client_context made = certificates::trust(pki().root);
  made.use(who.pem.identity());
  return made;
}

// Bytes that differ from their neighbours, in a file that `-WWW` serves.
std::string write_bulk(char const* name, std::size_t size) {
  std::string content(size, '\0');
  for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 31 + i / 256);
  pki().directory.write(name, content);
  return content;
}

std::string body_of(std::string const& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

/// What came of fetching a file, until the connection ended, and how that ended.
struct fetched {
  std::string answer;
  error_code ended;
};

/// Called when the first bytes have come.
using on_begun = std::function<void()>;

asio::awaitable<void> fetch(int port, std::string const& request, on_begun const& begun,
                            fetched& result) {
  target const to{port};
  tcp_stream peer = co_await async_connect("127.0.0.1", port, to.context, to.options);
  co_await peer.async_write(asio::buffer(request));
  std::vector<char> chunk(65536);
  while (!result.ended) {
    std::size_t const got = co_await peer.async_read_some(
        asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, result.ended));
    if (result.answer.empty()) begun();
    result.answer.append(chunk.data(), got);
  }
}

fetched fetch_by_coroutine(int port, std::string const& request, on_begun const& begun) {
  asio::io_context context;
  fetched result;
  run(context, fetch(port, request, begun, result));
  return result;
}

fetched fetch_by_blocking_calls(int port, std::string const& request, on_begun const& begun) {
  target const to{port};
  blocking::stream peer = blocking::connect("127.0.0.1", port, to.context, to.options);
  peer.set_timeout(process::patience);
  peer.write(asio::buffer(request));
  std::vector<char> chunk(65536);
  fetched result;
  while (!result.ended) {
    std::size_t const got = peer.read_some(asio::buffer(chunk), result.ended);
    if (result.answer.empty()) begun();
    result.answer.append(chunk.data(), got);
  }
  return result;
}

/// A way to fetch a file from `-WWW`.
struct fetcher {
  char const* name;
  fetched (*fetch)(int port, std::string const& request, on_begun const& begun);

  fetched get(s_server const& peer, std::string const& file, on_begun const& begun) const {
    return fetch(peer.port(), "GET /" + file + " HTTP/1.0\r\n\r\n", begun);
  }
};
std::ostream& operator<<(std::ostream& out, fetcher const& one) { return out << one.name; }

auto const both_fetchers = data::make({fetcher{"async_connect", fetch_by_coroutine},
                                       fetcher{"blocking::connect", fetch_by_blocking_calls}});

fetched get_until_killed(s_server& peer, fetcher const& how, std::string const& file) {
  on_begun const begun = [&peer] { peer.kill(); };
  return how.get(peer, file, begun);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(openssl_server)

BOOST_DATA_TEST_CASE(each_version_is_negotiated, both_ways * both_versions, connect, asked) {
  s_server peer({"-rev", asked.option});
  exchange const done = connect.talk({peer.port()});
  BOOST_TEST(done.answer == "sltoc\n");
  BOOST_TEST(done.verified);
  BOOST_TEST(done.info.version == asked.name);
  BOOST_TEST(peer.prints("CONNECTION CLOSED"));   // after our close_notify
  BOOST_TEST(peer.errors().find("Ciphersuite: " + done.info.suite) != std::string::npos);
}

BOOST_DATA_TEST_CASE(a_version_the_peer_does_not_speak_is_refused, both_ways, connect) {
  s_server peer({"-rev", "-tls1_2"});
  error const failure =
      refusal(connect, {peer.port(), certificates::trust(pki().root, protocol::tls1_3)});
  BOOST_TEST((failure.alert() == alert::protocol_version));
}

BOOST_DATA_TEST_CASE(the_peers_group_is_used,
                     both_ways * (data::make({"X25519", "P-256", "P-384"}) ^
                                  data::make({"x25519", "secp256r1", "secp384r1"})),
                     connect, asked, name) {
  s_server peer({"-rev", "-groups", asked});
  BOOST_TEST(connect.talk({peer.port()}).info.group == name);
}

BOOST_DATA_TEST_CASE(without_a_common_group_it_is_refused, both_ways, connect) {
  s_server peer({"-rev", "-tls1_3", "-groups", "P-256"});
  client_context context = certificates::trust(pki().root);
  context.set_groups("X25519");
  BOOST_TEST((refusal(connect, {peer.port(), context}).alert() == alert::handshake_failure));
}

BOOST_DATA_TEST_CASE(the_peer_chooses_the_alpn_protocol, both_ways * both_versions, connect,
                     asked) {
  s_server peer({"-rev", asked.option, "-alpn", "h2,http/1.1"});
  target to{peer.port()};
  to.options.alpn("http/1.1", "h2");
  BOOST_TEST(connect.talk(to).info.alpn == "h2");
}

BOOST_DATA_TEST_CASE(a_peer_without_our_alpn_protocol_refuses_us, both_ways, connect) {
  s_server peer({"-rev", "-alpn", "h2"});
  target to{peer.port()};
  to.options.alpn("http/1.1");
  BOOST_TEST((refusal(connect, to).alert() == alert::no_application_protocol));
}

BOOST_DATA_TEST_CASE(the_host_name_chooses_the_peers_certificate, both_ways, connect) {
  s_server peer(having_another_certificate_for_localhost(), pki().elsewhere);
  // s_server sends no intermediate certificate with its second one.
  client_context context = certificates::trust(pki().root);
  context.add_root(pki().intermediate.certificate());
  BOOST_TEST(connect.talk({peer.port(), context}).verified);
}

BOOST_DATA_TEST_CASE(no_name_is_sent_for_an_address, both_ways, connect) {
  s_server peer(having_another_certificate_for_localhost(), pki().elsewhere);
  target to{peer.port()};
  to.options = connect_options();
  BOOST_TEST(refusal(connect, to).verify_result() == X509_V_ERR_IP_ADDRESS_MISMATCH);
  BOOST_TEST(peer.prints("alert bad certificate"));   // and no alert unrecognized_name of its own
}

BOOST_DATA_TEST_CASE(an_rsa_certificate_is_verified, both_ways * both_versions, connect, asked) {
  s_server peer({"-rev", asked.option}, pki().localhost_rsa);
  BOOST_TEST(connect.talk({peer.port()}).verified);
}

BOOST_DATA_TEST_CASE(an_address_is_verified, both_ways, connect) {
  s_server peer({"-rev"});
  target to{peer.port()};
  to.options = connect_options();   // what is connected to is verified: 127.0.0.1
  BOOST_TEST(connect.talk(to).verified);
}

BOOST_DATA_TEST_CASE(another_address_is_refused, both_ways * both_versions, connect, asked) {
  s_server peer({"-rev", asked.option}, pki().elsewhere);
  target to{peer.port()};
  to.options = connect_options();
  error const failure = refusal(connect, to);
  BOOST_TEST(failure.verify_result() == X509_V_ERR_IP_ADDRESS_MISMATCH);
  BOOST_TEST(says(failure, "handshake with 127.0.0.1:" + std::to_string(peer.port())));
  BOOST_TEST(says(failure, "is for another IP address"));
  BOOST_TEST(peer.prints("alert bad certificate"));
}

BOOST_DATA_TEST_CASE(another_host_name_is_refused, both_ways * both_versions, connect, asked) {
  s_server peer({"-rev", asked.option}, pki().elsewhere);
  error const failure = refusal(connect, {peer.port()});
  BOOST_TEST(failure.verify_result() == X509_V_ERR_HOSTNAME_MISMATCH);
  BOOST_TEST(says(failure, "the peer's certificate is for another host name "
                           "(depth 0, CN=elsewhere.example; it is for elsewhere.example"));
  BOOST_TEST(peer.prints("alert bad certificate"));
}

BOOST_DATA_TEST_CASE(an_expired_certificate_is_refused, both_ways * both_versions, connect, asked) {
  s_server peer({"-rev", asked.option}, pki().expired);
  error const failure = refusal(connect, {peer.port()});
  BOOST_TEST(failure.verify_result() == X509_V_ERR_CERT_HAS_EXPIRED);
  BOOST_TEST(says(failure, "the peer's certificate has expired (depth 0, CN=localhost)"));
  BOOST_TEST(peer.prints("alert certificate expired"));
}

BOOST_DATA_TEST_CASE(an_unknown_authority_is_refused, both_ways * both_versions, connect, asked) {
  s_server peer({"-rev", asked.option});
  error const failure =
      refusal(connect, {peer.port(), certificates::trust(pki().strangers_root)});
  BOOST_TEST(failure.verify_result() == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
  BOOST_TEST(says(failure, "the authority is unknown"));
  BOOST_TEST(peer.prints("alert unknown ca"));
}

BOOST_DATA_TEST_CASE(an_unknown_authority_is_let_in_when_nothing_is_verified, both_ways, connect) {
  s_server peer({"-rev"});
  client_context context;
  context.set_verify(verify::none);
  exchange const done = connect.talk({peer.port(), context});
  BOOST_TEST(done.answer == "sltoc\n");
  BOOST_TEST(!done.verified);
}

BOOST_DATA_TEST_CASE(our_certificate_is_shown_to_a_peer_that_requires_one,
                     both_ways * both_versions, connect, asked) {
  s_server peer(requiring_a_certificate() + words{asked.option});
  BOOST_TEST(connect.talk({peer.port(), with_certificate(pki().client)}).answer == "sltoc\n");
  BOOST_TEST(peer.prints("Peer certificate: CN"));
  BOOST_TEST(peer.prints("client.example"));
}

BOOST_DATA_TEST_CASE(without_a_certificate_a_peer_that_requires_one_refuses_us,
                     both_ways * both_versions, connect, asked) {
  s_server peer(requiring_a_certificate() + words{asked.option});
  error const failure = refusal(connect, {peer.port()});
  bool const is_tls1_3 = asked.name == std::string_view("TLSv1.3");
  BOOST_TEST((failure.alert() ==
              (is_tls1_3 ? alert::certificate_required : alert::handshake_failure)));
}

BOOST_DATA_TEST_CASE(our_certificate_of_an_authority_unknown_to_the_peer_is_refused,
                     both_ways * both_versions, connect, asked) {
  s_server peer(requiring_a_certificate() + words{asked.option});
  error const failure = refusal(connect, {peer.port(), with_certificate(pki().stranger)});
  BOOST_TEST((failure.alert() == alert::unknown_ca));
  BOOST_TEST(failure.verify_result() == 0);
}

BOOST_DATA_TEST_CASE(lines_of_every_size_come_back_reversed, both_ways * both_versions, connect,
                     asked) {
  s_server peer({"-rev", asked.option});
  for (std::size_t const size : {1u, 100u, 10'000u}) {
    std::string const question = std::string(size, 'a') + "b\n";
    BOOST_TEST((connect.converse({peer.port()}, question).answer ==
                'b' + std::string(size, 'a') + '\n'));
  }
}

BOOST_DATA_TEST_CASE(ten_megabytes_arrive_whole_and_end_with_eof, both_fetchers * both_versions,
                     how, asked) {
  std::string const content = write_bulk("whole.bin", 10 << 20);
  s_server peer({"-WWW", asked.option});
  fetched const result = how.get(peer, "whole.bin", [] {});
  BOOST_TEST(result.ended == asio::error::eof);
  BOOST_TEST((body_of(result.answer) == content));
}

BOOST_DATA_TEST_CASE(a_peer_killed_in_the_middle_is_not_taken_for_an_end,
                     both_fetchers * both_versions, how, asked) {
  std::string const content = write_bulk("cut.bin", 48 << 20);
  s_server peer({"-WWW", asked.option});
  fetched const result = get_until_killed(peer, how, "cut.bin");
  BOOST_TEST((result.ended == errc::stream_truncated ||
              result.ended == asio::error::connection_reset),
             result.ended.message());
  std::string const body = body_of(result.answer);
  BOOST_TEST(body.size() < content.size());
  BOOST_TEST(content.starts_with(body));   // what came before is delivered, and is right
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::openssl_server_test
