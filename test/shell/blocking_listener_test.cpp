// The blocking listener: clients that wait, words for contexts, what leaves it usable, closing.

#include "addresses.hpp"
#include "blocking.hpp"
#include "print.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <netinet/in.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace cotls::test::blocking_listener_test {

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

bool refused_by_us(error_code code) { return code.category() == openssl_category(); }

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
  BOOST_CHECK_EXCEPTION(listener.accept_ready(), error,
                        with_code(asio::error::operation_aborted));
  error_code code;
  listener.accept(code);
  BOOST_TEST(code == asio::error::operation_aborted);
  blocking::connect("127.0.0.1", at.port(), localhost_client(), {}, code);
  BOOST_TEST(code == asio::error::connection_refused);
  blocking::listener again(at, localhost_server());
  auto next = client_of(at.port());
  accept_and_end(again);
  next.get();
}

// Whether the address of all takes IPv4 must not depend on the system's settings: here on those of
// a network of the thread's own.
BOOST_AUTO_TEST_CASE(all_addresses_are_those_of_ipv4_too_whatever_the_systems_default) {
  auto looking = std::async(std::launch::async, [] {
    if (::unshare(CLONE_NEWNET) != 0) return std::string("no network of our own can be made");
    std::ofstream("/proc/sys/net/ipv6/bindv6only") << '1' << std::flush;
    blocking::listener const all("", 0, localhost_server());
    int v6_only = -1;
    socklen_t size = sizeof v6_only;
    ::getsockopt(all.native_handle(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, &size);
    if (all.local_endpoint().protocol() == tcp::v6()) BOOST_TEST(v6_only == 0);
    blocking::listener const as_it_is({tcp::v6(), 0}, localhost_server());
    ::getsockopt(as_it_is.native_handle(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, &size);
    BOOST_TEST(v6_only == 1);
    return std::string("looked at");
  });
  BOOST_TEST_MESSAGE(looking.get());
}

// Closed over what the client has sent beyond its refusal, the connection would be reset.
BOOST_AUTO_TEST_CASE(a_refused_client_gets_its_alert_whatever_it_was_sending) {
  asio::io_context context;
  tcp::socket client(context);
  client.connect(listener.local_endpoint());
  std::string_view const senseless("\x16\x03\x01\0\x05\x01\0\0\x01\0", 10);   // a hello of one byte
  asio::write(client, asio::buffer(std::string(senseless) + std::string(100'000, 'x')));
  auto accepting = std::async(std::launch::async, [&] {
    error_code code;
    listener.accept(code);
    return code;
  });
  std::string heard;
  error_code ended;
  asio::read(client, asio::dynamic_buffer(heard), ended);
  BOOST_TEST(ended == asio::error::eof);
  BOOST_TEST(heard.substr(0, 1) == "\x15");
  asio::write(client, asio::buffer("more"), ended);
  BOOST_TEST(!ended);
  client.close();
  BOOST_TEST(refused_by_us(accepting.get()));
}

BOOST_AUTO_TEST_CASE(a_refused_client_that_does_not_go_is_left_after_the_handshakes_time) {
  listener.set_handshake_timeout(100ms);
  asio::io_context context;
  tcp::socket client(context);
  client.connect(listener.local_endpoint());
  asio::write(client, asio::buffer("GET / HTTP/1.0\r\n\r\n", 18));
  auto const began = std::chrono::steady_clock::now();
  error_code code;
  listener.accept(code);
  BOOST_TEST(refused_by_us(code));
  BOOST_TEST((std::chrono::steady_clock::now() - began < 5s));
}

BOOST_AUTO_TEST_CASE(a_refused_client_that_floods_is_left_after_a_mebibyte) {
  auto flooding = std::async(std::launch::async, [at = listener.local_endpoint()] {
    asio::io_context context;
    tcp::socket client(context);
    client.connect(at);
    std::string const text(64 * 1024, 'x');
    error_code ended;
    std::size_t taken = 0;
    while (!ended) taken += asio::write(client, asio::buffer(text), ended);
    return taken;
  });
  error_code code;
  listener.accept(code);
  BOOST_TEST(refused_by_us(code));
  BOOST_TEST(flooding.get() < 30'000'000u);   // most of it in the buffers of the system
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

}  // namespace cotls::test::blocking_listener_test
