// Each of OpenSSL's statuses, as the engine makes it known.

#include "adopted_bio.hpp"
#include "print.hpp"
#include "sanitized.hpp"
#include "tls.hpp"

#include <cotls/engine.hpp>
#include <cotls/status.hpp>

#include <boost/test/unit_test.hpp>

#include <openssl/async.h>
#include <openssl/ssl.h>

#include <set>

namespace cotls::test::status_test {
namespace {

constexpr auto all_wants = {want::nothing,      want::input,        want::output,
                            want::client_hello, want::certificate,  want::verification,
                            want::connect,      want::accept,       want::async,
                            want::async_job};

client_options to_localhost() { return client_options().host("localhost"); }

// Both ends of a connection in memory, whose contexts a test may change through OpenSSL.
struct fixture {
  client_context clients = localhost_client();
  server_context servers = localhost_server();

  struct ends {
    engine client;
    engine server;

    // Lets each end go on once; tells what the server wants.
    want advance() {
      client.handshake();
      server.input(client.output());
      client.consume_output(client.output().size());
      step const done = server.handshake();
      client.input(server.output());
      server.consume_output(server.output().size());
      return done.want;
    }
  };

  ends connect() { return {engine(clients, to_localhost()), engine(servers)}; }

  ends connected() {
    ends both = connect();
    while (both.advance() != want::nothing) {
    }
    both.client.handshake();
    return both;
  }
};

status after(step done) { return status_of(done.want); }

int pause_job(SSL*, int*, void*) {
  ASYNC_pause_job();
  return SSL_CLIENT_HELLO_SUCCESS;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(statuses, fixture)

BOOST_AUTO_TEST_CASE(each_has_a_name_of_its_own) {
  std::set<std::string_view> names;
  for (int value = 0; value <= static_cast<int>(status::want_async_job); ++value) {
    names.insert(to_string(static_cast<status>(value)));
  }
  BOOST_TEST(names.size() == 13u);
  BOOST_TEST(!names.contains("unknown"));
  BOOST_TEST(to_string(status::want_x509_lookup) == "want_x509_lookup");
}

BOOST_AUTO_TEST_CASE(each_want_has_a_status_of_its_own_that_is_spelled_as_a_want) {
  std::set<status> known;
  for (want each : all_wants) {
    known.insert(status_of(each));
    BOOST_TEST(to_string(status_of(each)).starts_with("want_") == (each != want::nothing));
  }
  BOOST_TEST((status_of(want::signature) == status::want_async));   // ours, by OpenSSL's word
  BOOST_TEST(known.size() == all_wants.size());
}

BOOST_AUTO_TEST_CASE(an_engine_without_input_wants_to_read) {
  BOOST_TEST(after(engine(servers).handshake()) == status::want_read);
}

BOOST_AUTO_TEST_CASE(a_bio_that_is_full_wants_to_be_written_to) {
  auto [near, far] = bio_pair(16);
  engine client(clients, to_localhost(), near.release());
  BOOST_TEST(after(client.handshake()) == status::want_write);
}

BOOST_AUTO_TEST_CASE(a_bio_that_is_not_connected_wants_to_be) {
  asio::io_context unused;
  tcp::acceptor const server(unused, any_port());
  engine client(clients, to_localhost(), connecting_bio(server.local_endpoint().port()).release());
  BOOST_TEST(after(client.handshake()) == status::want_connect);
}

BOOST_AUTO_TEST_CASE(a_bio_that_nobody_has_connected_to_wants_to_accept) {
  engine server(servers, accepting_bio().release());
  BOOST_TEST(after(server.handshake()) == status::want_accept);
}

BOOST_AUTO_TEST_CASE(a_certificate_callback_that_waits_gives_want_x509_lookup) {
  ends both = connect();
  SSL_set_cert_cb(both.server.native_handle(), [](SSL*, void*) { return -1; }, nullptr);
  BOOST_TEST(both.advance() == want::certificate);
  BOOST_TEST(status_of(want::certificate) == status::want_x509_lookup);
  SSL_set_cert_cb(both.server.native_handle(), [](SSL*, void*) { return 1; }, nullptr);
  BOOST_TEST(both.advance() == want::input);   // it was asked again, and went on
}

BOOST_AUTO_TEST_CASE(a_client_hello_callback_that_waits_gives_want_client_hello) {
  SSL_CTX_set_client_hello_cb(
      servers.native_handle(), [](SSL*, int*, void*) { return SSL_CLIENT_HELLO_RETRY; }, nullptr);
  BOOST_TEST(connect().advance() == want::client_hello);
  BOOST_TEST(status_of(want::client_hello) == status::want_client_hello);
}

BOOST_AUTO_TEST_CASE(a_verification_that_waits_gives_want_retry_verify) {
  SSL_CTX_set_cert_verify_callback(
      clients.native_handle(),
      [](X509_STORE_CTX* store, void*) -> int {
        auto* ssl = static_cast<SSL*>(
            X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
        return SSL_set_retry_verify(ssl);
      },
      nullptr);
  ends both = connect();
  both.advance();
  BOOST_TEST(after(both.client.handshake()) == status::want_retry_verify);
}

BOOST_AUTO_TEST_CASE(a_paused_job_gives_want_async_and_none_to_spare_want_async_job) {
  // AddressSanitizer does not follow a job to its own stack.
  if (sanitized || ASYNC_is_capable() != 1) return;
  ASYNC_cleanup_thread();
  BOOST_REQUIRE(ASYNC_init_thread(1, 1) == 1);
  SSL_CTX_set_mode(servers.native_handle(), SSL_MODE_ASYNC);
  SSL_CTX_set_client_hello_cb(servers.native_handle(), pause_job, nullptr);
  {
    ends first = connect();
    BOOST_TEST(first.advance() == want::async);
    BOOST_TEST(connect().advance() == want::async_job);
    BOOST_TEST(first.advance() == want::input);   // the job must end before its connection (T5)
  }
  ASYNC_cleanup_thread();
}

BOOST_AUTO_TEST_CASE(the_peers_close_notify_gives_zero_return) {
  ends both = connected();
  both.server.close_write();
  both.client.input(both.server.output());
  char one = 0;
  BOOST_TEST(both.client.read(asio::buffer(&one, 1)).error == asio::error::eof);
  BOOST_TEST(both.client.last_error().status() == status::zero_return);
}

BOOST_AUTO_TEST_CASE(a_transport_that_fails_gives_syscall_and_the_systems_error) {
  engine client(clients, to_localhost(), connecting_bio(unused_port()).release());
  step done;
  while ((done = client.handshake()).want == want::connect) wait_for(client, done.want);
  BOOST_TEST(done.error == asio::error::connection_refused);
  BOOST_TEST(client.last_error().status() == status::syscall);
}

BOOST_AUTO_TEST_CASE(a_failure_of_openssl_gives_ssl) {
  servers = server_context().use(make_self_signed({"localhost"}));
  ends both = connect();
  both.advance();
  BOOST_TEST(both.client.handshake().error.message() == "certificate verify failed");
  BOOST_TEST(both.client.last_error().status() == status::ssl);
  BOOST_TEST(both.client.last_error().openssl_stack() ==
             "SSL routines: certificate verify failed");
}

BOOST_AUTO_TEST_CASE(a_failure_that_no_call_of_openssl_reported_is_unclassified) {
  ends both = connected();
  both.client.end_input();
  char one = 0;
  BOOST_TEST(both.client.read(asio::buffer(&one, 1)).error == errc::stream_truncated);
  BOOST_TEST(both.client.last_error().status() == status::unclassified);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::status_test
