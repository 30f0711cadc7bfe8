// A cotls listener that speaks enough HTTP, and `curl` as its client.

#include "certificates.hpp"
#include "print.hpp"
#include "process.hpp"
#include "programs.hpp"
#include "served.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <vector>

namespace cotls::test::curl_test {
namespace {

certificates const& pki() { return certificates::all(); }

std::string url(int port, std::size_t size, std::string const& host = "localhost") {
  return "https://" + host + ":" + std::to_string(port) + "/" + std::to_string(size);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(curl_client)

BOOST_DATA_TEST_CASE(a_page_is_fetched, both_versions, asked) {
  server_context context = certificates::serve(pki().localhost);
  context.set_alpn({"http/1.1"});
  server_thread server(context, answer_http);
  process peer(curl({"--tls-max", asked.limit, url(server.port(), 12)}));
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST(peer.output() == http_body(12));
  BOOST_TEST(says(peer, "SSL certificate verif"));   // how it goes on differs

  served const report = server.next();
  BOOST_TEST(report.info.version == asked.name);
  BOOST_TEST(report.info.server_name == "localhost");
  BOOST_TEST(report.info.alpn == "http/1.1");
  BOOST_TEST(says(peer, "SSL connection using " + report.info.version + " / " + report.info.suite));
  BOOST_TEST(!report.failure.has_value());
}

BOOST_DATA_TEST_CASE(ten_megabytes_are_fetched_whole, both_versions, asked) {
  server_thread server(certificates::serve(pki().localhost), answer_http);
  process peer(curl({"--tls-max", asked.limit, url(server.port(), 10 << 20)}));
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST((peer.output() == http_body(10 << 20)));
}

BOOST_AUTO_TEST_CASE(two_requests_share_a_connection) {
  server_thread server(certificates::serve(pki().localhost), answer_http);
  process peer(curl({url(server.port(), 5), url(server.port(), 7)}));
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST(peer.output() == http_body(5) + http_body(7));
  BOOST_TEST(server.next().received == 2u);
}

BOOST_AUTO_TEST_CASE(two_programs_do_not_share_a_connection) {
  server_thread server(certificates::serve(pki().localhost), answer_http);
  for (int i = 0; i < 2; ++i) {
    process peer(curl({url(server.port(), 5)}));
    BOOST_TEST(peer.wait() == 0);
    BOOST_TEST(server.next().received == 1u);
  }
}

BOOST_AUTO_TEST_CASE(twenty_clients_are_served_at_once) {
  server_thread server(certificates::serve(pki().localhost), answer_http);
  std::vector<std::unique_ptr<process>> peers;
  for (std::size_t i = 0; i < 20; ++i) {
    peers.push_back(std::make_unique<process>(curl({url(server.port(), 200'000 + i)})));
  }
  for (std::size_t i = 0; i < peers.size(); ++i) {
    BOOST_TEST(peers[i]->wait() == 0);
    BOOST_TEST((peers[i]->output() == http_body(200'000 + i)));
  }
  for (std::size_t i = 0; i < peers.size(); ++i) BOOST_TEST(server.next().received == 1u);
}

BOOST_AUTO_TEST_CASE(an_address_is_verified) {
  server_thread server(certificates::serve(pki().localhost), answer_http);
  process peer(curl({url(server.port(), 3, "127.0.0.1")}));
  BOOST_TEST(peer.wait() == 0);
  BOOST_TEST(server.next().info.server_name == "");
}

BOOST_AUTO_TEST_CASE(it_refuses_our_unknown_authority_and_says_so) {
  server_thread server(certificates::serve(pki().localhost), answer_http);
  process peer(curl({url(server.port(), 3)}, pki().strangers_root_file));
  BOOST_TEST(peer.wait() == 60);
  BOOST_TEST(says(peer, "unable to get local issuer certificate"));
  BOOST_TEST(peer.output() == "");
  served const report = server.next();
  BOOST_TEST(!report.accepted);
  BOOST_TEST((report.failure->alert() == alert::unknown_ca));
}

BOOST_AUTO_TEST_CASE(it_refuses_our_certificate_for_another_host) {
  server_thread server(certificates::serve(pki().localhost), answer_http);
  process peer(curl({url(server.port(), 3, "wrong.example")}));
  BOOST_TEST(peer.wait() == 60);
  BOOST_TEST(says(peer, "no alternative certificate subject name matches target host"));
  BOOST_TEST(server.next().received == 0u);
}

BOOST_AUTO_TEST_CASE(it_refuses_our_expired_certificate_and_says_so) {
  server_thread server(certificates::serve(pki().expired), answer_http);
  process peer(curl({url(server.port(), 3)}));
  BOOST_TEST(peer.wait() == 60);
  BOOST_TEST(says(peer, "certificate has expired"));
  BOOST_TEST((server.next().failure->alert() == alert::certificate_expired));
}

BOOST_AUTO_TEST_CASE(its_certificate_is_verified_when_we_require_one) {
  server_context context = certificates::serve(pki().localhost);
  context.add_root(pki().intermediate.certificate())
      .add_root(pki().root.certificate())
      .set_verify(verify::required);
  server_thread server(context, answer_http);
  auto const& ours = pki().client.files;
  process peer(curl({"--cert", ours.certificate, "--key", ours.key, url(server.port(), 3)}));
  BOOST_TEST(peer.wait() == 0);
  served const report = server.next();
  BOOST_TEST(report.peer_verified);
  BOOST_TEST(report.peer_subject == "CN=client.example");
}

BOOST_AUTO_TEST_CASE(without_a_certificate_it_is_refused_when_we_require_one) {
  server_context context = certificates::serve(pki().localhost);
  context.add_root(pki().root.certificate()).set_verify(verify::required);
  server_thread server(context, answer_http);
  process peer(curl({url(server.port(), 3)}));
  BOOST_TEST(peer.wait() == 56);
  BOOST_TEST(says(peer, "certificate required"));
  BOOST_TEST(!server.next().accepted);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::curl_test
