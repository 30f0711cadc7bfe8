// Each of OpenSSL's statuses, produced by the call that gives it.

#include "context_state.hpp"
#include "openssl_error.hpp"
#include "raw_connection.hpp"

#include <cotls/certificate.hpp>
#include <cotls/context.hpp>
#include <cotls/status.hpp>

#include <boost/test/unit_test.hpp>

#include <openssl/async.h>

#include <set>

namespace cotls::test {
namespace {

// A transport that cannot go on, for the reason that its data holds.
struct obstacle {
  int flags;    // BIO_FLAGS_READ, BIO_FLAGS_WRITE, BIO_FLAGS_IO_SPECIAL or none
  int reason;   // BIO_RR_…
};

int refuse(BIO* bio) {
  auto const* met = static_cast<obstacle const*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (met->flags != 0) BIO_set_flags(bio, met->flags | BIO_FLAGS_SHOULD_RETRY);
  BIO_set_retry_reason(bio, met->reason);
  return -1;
}

using bio_method_ptr = std::unique_ptr<BIO_METHOD, detail::openssl_deleter<BIO_meth_free>>;

BIO_METHOD* obstacle_method() {
  static bio_method_ptr const method = [] {
    bio_method_ptr made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "obstacle"));
    BIO_meth_set_read(made.get(), [](BIO* bio, char*, int) { return refuse(bio); });
    BIO_meth_set_write(made.get(), [](BIO*, char const*, int size) { return size; });
    BIO_meth_set_ctrl(made.get(), [](BIO*, int command, long, void*) -> long {
      return command == BIO_CTRL_FLUSH ? 1 : 0;
    });
    return made;
  }();
  return method.get();
}

status after_read_meets(obstacle met) {
  client_context const context;
  detail::ssl_ptr const ssl(SSL_new(context.native_handle()));
  BIO* bio = BIO_new(obstacle_method());
  BIO_set_data(bio, &met);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl.get(), bio, bio);
  SSL_set_connect_state(ssl.get());
  detail::clear_openssl_errors();
  int const result = SSL_do_handshake(ssl.get());
  return detail::take_openssl_error(ssl.get(), result).status;
}

// Both ends of a connection whose contexts the test may still change.
struct fixture {
  identity const known = make_self_signed({"localhost"});
  client_context client = client_context().add_root(known.chain().leaf());
  server_context server = server_context().use(known);
  SSL_CTX* clients = client.native_handle();
  SSL_CTX* servers = server.native_handle();

  raw_connection connect() {
    client.state()->seal();
    server.state()->seal();
    return {clients, servers};
  }
};

// AddressSanitizer does not follow a job to its own stack.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif

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

BOOST_AUTO_TEST_CASE(a_transport_without_input_gives_want_read) {
  BOOST_TEST((after_read_meets({BIO_FLAGS_READ, 0}) == status::want_read));
}

BOOST_AUTO_TEST_CASE(a_transport_that_must_be_written_to_gives_want_write) {
  BOOST_TEST((after_read_meets({BIO_FLAGS_WRITE, 0}) == status::want_write));
}

BOOST_AUTO_TEST_CASE(a_transport_that_is_not_connected_gives_want_connect) {
  BOOST_TEST((after_read_meets({BIO_FLAGS_IO_SPECIAL, BIO_RR_CONNECT}) == status::want_connect));
}

BOOST_AUTO_TEST_CASE(a_transport_that_is_not_accepted_gives_want_accept) {
  BOOST_TEST((after_read_meets({BIO_FLAGS_IO_SPECIAL, BIO_RR_ACCEPT}) == status::want_accept));
}

BOOST_AUTO_TEST_CASE(a_transport_that_fails_gives_syscall) {
  BOOST_TEST((after_read_meets({0, 0}) == status::syscall));
}

BOOST_AUTO_TEST_CASE(the_peers_close_notify_gives_zero_return) {
  raw_connection both = connect();
  BOOST_REQUIRE(both.handshake());
  SSL_shutdown(both.server.get());
  char unread = 0;
  int const result = SSL_read(both.client.get(), &unread, 1);
  BOOST_TEST((detail::take_openssl_error(both.client.get(), result).status ==
              status::zero_return));
}

BOOST_AUTO_TEST_CASE(a_failure_of_openssl_gives_ssl) {
  client_context const strangers =
      client_context().add_root(make_self_signed({"a"}).chain().leaf());
  strangers.state()->seal();
  server.state()->seal();
  raw_connection both(strangers.native_handle(), servers);
  BOOST_TEST(!both.handshake());
  BOOST_TEST((both.client_error.status == status::ssl));
  BOOST_TEST(both.client_error.stack == "SSL routines: certificate verify failed");
  BOOST_TEST((both.server_code() == alert::unknown_ca));
}

BOOST_AUTO_TEST_CASE(a_call_that_succeeded_is_unclassified) {
  raw_connection both = connect();
  BOOST_REQUIRE(both.handshake());
  detail::clear_openssl_errors();
  BOOST_TEST((detail::take_openssl_error(both.client.get(), 1).status == status::unclassified));
}

BOOST_AUTO_TEST_CASE(a_certificate_callback_that_waits_gives_want_x509_lookup) {
  SSL_CTX_set_cert_cb(servers, [](SSL*, void*) { return -1; }, nullptr);
  raw_connection both = connect();
  both.handshake();
  BOOST_TEST((both.server_error.status == status::want_x509_lookup));
}

BOOST_AUTO_TEST_CASE(a_client_hello_callback_that_waits_gives_want_client_hello) {
  SSL_CTX_set_client_hello_cb(
      servers, [](SSL*, int*, void*) { return SSL_CLIENT_HELLO_RETRY; }, nullptr);
  raw_connection both = connect();
  both.handshake();
  BOOST_TEST((both.server_error.status == status::want_client_hello));
}

BOOST_AUTO_TEST_CASE(a_verification_that_waits_gives_want_retry_verify) {
  SSL_CTX_set_cert_verify_callback(
      clients,
      [](X509_STORE_CTX* store, void*) -> int {
        auto* ssl = static_cast<SSL*>(
            X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
        return SSL_set_retry_verify(ssl);
      },
      nullptr);
  raw_connection both = connect();
  both.handshake();
  BOOST_TEST((both.client_error.status == status::want_retry_verify));
}

BOOST_AUTO_TEST_CASE(a_paused_job_gives_want_async_and_none_to_spare_want_async_job) {
  if (sanitized || ASYNC_is_capable() != 1) return;
  ASYNC_cleanup_thread();
  BOOST_REQUIRE(ASYNC_init_thread(1, 1) == 1);
  SSL_CTX_set_mode(servers, SSL_MODE_ASYNC);
  SSL_CTX_set_client_hello_cb(servers, pause_job, nullptr);
  raw_connection first = connect();
  first.advance();
  BOOST_TEST((first.server_error.status == status::want_async));
  raw_connection second(clients, servers);
  second.advance();
  BOOST_TEST((second.server_error.status == status::want_async_job));
  // The job must end before its connection does (T5).
  SSL_do_handshake(first.server.get());
  ASYNC_cleanup_thread();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test
