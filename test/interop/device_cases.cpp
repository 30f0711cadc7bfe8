#include "device_cases.hpp"

#include "failure_of.hpp"
#include "print.hpp"
#include "served.hpp"

#include <cotls/blocking.hpp>
#include <cotls/connect.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace cotls::test {

namespace {

bool names(error const& thrown, std::string const& text) {
  return std::string_view(thrown.what()).find(text) != std::string_view::npos;
}

}  // namespace

void curl_fetches_a_page_of_its_server(device_key const& key, version asked) {
  server_thread server(key.serve(), answer_http);
  process peer(curl({"--tls-max", asked.limit,
                     "https://localhost:" + std::to_string(server.port()) + "/12"}));
  BOOST_TEST(peer.wait() == 0, peer.errors());
  BOOST_TEST(peer.output() == http_body(12));
  BOOST_TEST(server.next().info.version == asked.name);
}

void s_client_verifies_its_server(device_key const& key, version asked) {
  server_thread server(key.serve(), greet);
  process peer(s_client(server.port(), {asked.option, "-ign_eof"}));
  BOOST_TEST(peer.wait() == 0, peer.errors());
  BOOST_TEST(peer.output() == "good day\n");
  BOOST_TEST(says(peer, std::string("Protocol version: ") + asked.name));
  BOOST_TEST(says(peer, "Verification: OK"));
  BOOST_TEST(!server.next().failure.has_value());
}

void s_server_verifies_its_client(device_key const& key, version asked) {
  s_server server({asked.option, "-Verify", "2", "-verify_return_error", "-CAfile",
                   certificates::all().root_file, "-rev"});
  blocking::stream peer = blocking::connect("127.0.0.1", server.port(), key.show(),
                                            connect_options().verify_host("localhost"));
  peer.set_timeout(process::patience);
  peer.write(asio::buffer("abc\n", 4));
  std::string answer(4, '\0');
  std::size_t got = 0;
  while (got < answer.size()) {
    got += peer.read_some(asio::buffer(answer.data() + got, answer.size() - got));
  }
  BOOST_TEST(answer == "cba\n");
  BOOST_TEST(peer.info().version == asked.name);
}

void serves_several_at_once(device_key const& key) {
  server_thread server(key.serve(), greet);
  std::vector<std::unique_ptr<process>> peers;
  for (int i = 0; i < 8; ++i) {
    peers.push_back(std::make_unique<process>(s_client(server.port(), {"-ign_eof"})));
  }
  for (auto const& each : peers) BOOST_TEST(each->wait() == 0, each->errors());
  for (std::size_t i = 0; i < peers.size(); ++i) {
    served const report = server.next();
    BOOST_TEST(!report.failure.has_value(),
               std::string(report.failure ? report.failure->what() : ""));
  }
}

void it_leaves_its_device_as_a_signature_alone(device_key const& key) {
  BOOST_CHECK_THROW(key.load().pem(), error);
}

void it_is_refused_with_the_certificate_of_another(device_key const& key, entity const& another) {
  server_context server;
  server.use(certificate_chain::from_pem(another.pem.chain()));
  error const thrown = failure_of([&] { server.use(key.load()); });
  BOOST_TEST(thrown.code() == errc::key_mismatch);
}

void a_uri_of_nothing_is_named(soft_device& device) {
  std::string const uri = device.uri_of_nothing();
  error const thrown = failure_of([&] { private_key::from_uri(uri, device.pin()); });
  BOOST_TEST(names(thrown, "loading the private key " + uri));
}

void a_uri_is_of_an_unknown_scheme_without_the_provider(soft_device& device,
                                                        device_key const& key) {
  device.provider().unload();
  error const thrown = failure_of([&] { key.load(); });
  device.provider().load();
  BOOST_TEST(thrown.code() == errc::invalid_setting);
  BOOST_TEST(names(thrown, "loading the private key " + key.uri()));
  BOOST_CHECK_NO_THROW(key.load());
}

}  // namespace cotls::test
