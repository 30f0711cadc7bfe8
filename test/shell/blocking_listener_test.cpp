// The blocking listener: clients that wait, words for contexts, what leaves it usable, closing.

#include "addresses.hpp"
#include "blocking.hpp"
#include "print.hpp"
#include "temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

namespace cotls::test {

namespace {

using local_endpoint = asio::local::stream_protocol::endpoint;

// A client that talks once the server does.
std::future<void> client_of(int port, std::string const& host = "127.0.0.1") {
  return std::async(std::launch::async, [=] {
    blocking::stream client = blocking::connect(host, port, localhost_client());
    client.set_timeout(20s);
    client.shutdown();
  });
}

void accept_and_end(blocking::listener& listener) { listener.accept().shutdown(); }

// Lets the process open no further descriptor.
class no_descriptors_left {
 public:
  no_descriptors_left() {
    int const lowest_free = ::dup(0);
    ::close(lowest_free);
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit lower = before_;
    lower.rlim_cur = static_cast<rlim_t>(lowest_free);
    BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &lower) == 0);
  }
  ~no_descriptors_left() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(blocking_listener, blocking_fixture)

BOOST_AUTO_TEST_CASE(a_client_that_waits_is_seen_and_not_consumed) {
  BOOST_TEST(!listener.accept_ready());
  BOOST_TEST(!listener.wait_ready(10ms));
  auto client = client_of(listener.port());
  BOOST_TEST(listener.wait_ready(20s));
  BOOST_TEST(listener.accept_ready());
  BOOST_TEST(listener.accept_ready());
  accept_and_end(listener);
  client.get();
  BOOST_TEST(!listener.accept_ready());
}

BOOST_AUTO_TEST_CASE(an_accept_ends_at_its_timeout_and_the_listener_goes_on) {
  listener.set_accept_timeout(20ms);
  BOOST_CHECK_EXCEPTION(listener.accept(), error, with_code(asio::error::timed_out));
  error_code code;
  BOOST_TEST(!listener.accept(code));
  BOOST_TEST(code == asio::error::timed_out);
  listener.set_accept_timeout(20s);
  auto client = client_of(listener.port());
  BOOST_TEST(bool(listener.accept(code)));
  BOOST_TEST(!code);
}

BOOST_AUTO_TEST_CASE(the_bound_port_and_a_descriptor_that_polls_are_at_hand) {
  BOOST_TEST(listener.port() > 0);
  BOOST_TEST(listener.local_endpoint().address() == asio::ip::address_v4::loopback());
  auto client = client_of(listener.port());
  pollfd waited{listener.native_handle(), POLLIN, 0};
  BOOST_TEST(::poll(&waited, 1, 20'000) == 1);
  accept_and_end(listener);
  client.get();
}

BOOST_AUTO_TEST_CASE(a_listener_of_a_word_is_given_its_certificate_afterwards) {
  blocking::listener of_word(any_port(), protocol::tls1_2,
                             blocking::listen_options().accept_timeout(20s));
  BOOST_CHECK_EXCEPTION(of_word.accept(), error, with_code(errc::no_certificate));
  of_word.context().use(localhost_identity());
  auto accepted = std::async(std::launch::async, [&] {
    blocking::stream made = of_word.accept();
    BOOST_TEST(made.info().version == "TLSv1.2");
    made.shutdown();
  });
  blocking::connect("127.0.0.1", of_word.port(), localhost_client()).shutdown();
  accepted.get();
  BOOST_CHECK_EXCEPTION(of_word.context().use(localhost_identity()), error,
                        with_code(errc::context_sealed));
  BOOST_CHECK_EXCEPTION(blocking::listener(any_port(), protocol::sslv2), error,
                        with_code(errc::unsupported_protocol));
}

BOOST_AUTO_TEST_CASE(a_host_is_listened_on_by_name_or_everywhere) {
  for (char const* host : {"localhost", "127.0.0.1", ""}) {
    blocking::listener named(host, 0, localhost_server());
    auto client = client_of(named.port(), "localhost");
    accept_and_end(named);
    client.get();
  }
  blocking::listener everywhere("", 0, localhost_server());
  auto client = client_of(everywhere.port(), "127.0.0.1");
  accept_and_end(everywhere);
  client.get();
  if (!has_ipv6()) return;
  auto six = client_of(everywhere.port(), "::1");
  accept_and_end(everywhere);
  six.get();
}

BOOST_AUTO_TEST_CASE(an_address_that_cannot_be_bound_is_refused) {
  for (int port : {-1, 65536}) {
    BOOST_CHECK_EXCEPTION(blocking::listener("localhost", port, localhost_server()), error,
                          with_code(errc::invalid_port));
  }
  BOOST_CHECK_EXCEPTION(blocking::listener(listener.local_endpoint(), localhost_server()), error,
                        with_code(asio::error::address_in_use));
  BOOST_CHECK_EXCEPTION(blocking::listener("192.0.2.1", 0, localhost_server()), error,
                        with_code(boost::system::errc::address_not_available));
}

BOOST_AUTO_TEST_CASE(a_port_is_shared_by_those_who_agree_to_it) {
  auto const shared = blocking::listen_options().reuse_port();
  blocking::listener const first(any_port(), localhost_server(), shared);
  blocking::listener const second(first.local_endpoint(), localhost_server(), shared);
  BOOST_TEST(first.port() == second.port());
  BOOST_CHECK_EXCEPTION(blocking::listener(first.local_endpoint(), localhost_server()), error,
                        with_code(asio::error::address_in_use));
}

BOOST_AUTO_TEST_CASE(a_unix_domain_socket_has_a_path_and_no_port) {
  temporary_directory const directory;
  local_endpoint const path((directory.path() / "socket").string());
  {
    blocking::listener const local(path, localhost_server());
    BOOST_TEST(std::filesystem::is_socket(path.path()));
    BOOST_CHECK_EXCEPTION(local.port(), error,
                          with_code(asio::error::address_family_not_supported));
  }
  BOOST_CHECK_EXCEPTION(blocking::listener(path, localhost_server()), error,
                        with_code(asio::error::address_in_use));
}

BOOST_AUTO_TEST_CASE(out_of_descriptors_the_client_waits_and_the_listener_stays_usable) {
  auto client = client_of(listener.port());
  BOOST_REQUIRE(listener.wait_ready(20s));
  {
    no_descriptors_left const none;
    error_code code;
    listener.accept(code);
    BOOST_TEST(code == asio::error::no_descriptors);
  }
  BOOST_TEST(listener.accept_ready());
  accept_and_end(listener);
  client.get();
}

BOOST_AUTO_TEST_CASE(closing_ends_an_accept_that_waits_in_another_thread) {
  temporary_directory const directory;
  blocking::listener local(local_endpoint((directory.path() / "socket").string()),
                           localhost_server(), blocking::listen_options().accept_timeout(20s));
  for (blocking::listener* each : {&listener, &local}) {
    auto accepting = std::async(std::launch::async, [&] {
      error_code code;
      each->accept(code);
      return code;
    });
    // Whether it waits already is not to be known from outside; both ways must end the same.
    accepting.wait_for(20ms);
    each->close();
    BOOST_TEST(accepting.get() == asio::error::operation_aborted);
    error_code code;
    each->accept(code);
    BOOST_TEST(code == asio::error::operation_aborted);
    BOOST_CHECK_EXCEPTION(each->accept_ready(), error,
                          with_code(asio::error::operation_aborted));
  }
}

BOOST_AUTO_TEST_CASE(a_closed_listener_refuses_clients_and_frees_its_port) {
  tcp::endpoint const at = listener.local_endpoint();
  auto client = client_of(at.port());
  accept_and_end(listener);
  client.get();
  listener.close();
  error_code code;
  blocking::connect("127.0.0.1", at.port(), localhost_client(), {}, code);
  BOOST_TEST(code == asio::error::connection_refused);
  blocking::listener again(at, localhost_server());
  auto next = client_of(at.port());
  accept_and_end(again);
  next.get();
}

BOOST_AUTO_TEST_CASE(several_threads_accept_from_one_listener) {
  constexpr int count = 4;
  std::vector<std::future<void>> accepting;
  std::vector<std::future<void>> clients;
  for (int i = 0; i < count; ++i) {
    accepting.push_back(serve(listener, [](blocking::stream& stream) { stream.shutdown(); }));
  }
  for (int i = 0; i < count; ++i) clients.push_back(client_of(listener.port()));
  for (auto& each : clients) each.get();
  for (auto& each : accepting) each.get();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test
