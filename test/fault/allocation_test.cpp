// Each allocation of one end's thread fails in turn while a connection is made, used and closed:
// that ends in an error, and what has arrived at the other end is the beginning of what was sent.
//
// By the blocking facade, which has all of the library beneath it but Asio's own operations: these
// end the process when they cannot allocate (the executors of their handlers are `noexcept`).

#include "blocking.hpp"
#include "engine_pair.hpp"
#include "hooked.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <cotls/detail/engine/hello_reader.hpp>
#include <cotls/engine.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <future>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace {

// How many allocations of this thread's succeed before one fails; negative: all do.
thread_local long until_failure = -1;

void* allocated_or_null(std::size_t size) noexcept {
  bool const fails = until_failure >= 0 && until_failure-- == 0;
  return fails ? nullptr : std::malloc(size);
}

void* allocated(std::size_t size) {
  void* const made = allocated_or_null(size);
  if (!made) throw std::bad_alloc();
  return made;
}

}  // namespace

void* operator new(std::size_t size) { return allocated(size); }
void* operator new[](std::size_t size) { return allocated(size); }
void* operator new(std::size_t size, std::nothrow_t const&) noexcept {
  return allocated_or_null(size);
}
void* operator new[](std::size_t size, std::nothrow_t const&) noexcept {
  return allocated_or_null(size);
}
void operator delete(void* given) noexcept { std::free(given); }
void operator delete[](void* given) noexcept { std::free(given); }
void operator delete(void* given, std::size_t) noexcept { std::free(given); }
void operator delete[](void* given, std::size_t) noexcept { std::free(given); }

namespace cotls::test::allocation_test {

namespace {

constexpr std::string_view greeting = "hello";

// Made once: this is about connections.
struct contexts {
  server_context served = localhost_server();
  client_context with = localhost_client();
  std::string const text = std::string(8'000'000, 'x');
  blocking::listener listener{any_port(), served,
                              blocking::listen_options().accept_timeout(2s).handshake_timeout(2s)};

  // The first use of a context, which is none of a connection's.
  contexts() {
    engine{served};
    engine{with, client_options().host("127.0.0.1")};
  }
};

std::string read_from(blocking::stream& tls) {
  std::string some(greeting.size(), '\0');
  some.resize(tls.read_some(asio::buffer(some)));
  return some;
}

// Greets, writes more than the other end takes before time is up, and says goodbye.
void be_client(contexts& use, std::string& received) {
  auto tls = blocking::connect("127.0.0.1", use.listener.port(), use.with,
                               connect_options().timeout(2s));
  tls.set_timeout(2s);
  tls.set_shutdown_timeout(50ms);
  tls.write(asio::buffer(greeting));
  received = read_from(tls);
  error_code code;
  tls.set_write_timeout(5ms);
  tls.write(asio::buffer(use.text), code);
  tls.shutdown(code);
}

void be_server(contexts& use, std::string& received) {
  auto tls = use.listener.accept();
  tls.set_timeout(2s);
  tls.set_shutdown_timeout(50ms);
  received = read_from(tls);
  tls.write(asio::buffer(received));
  std::string some(1000, '\0');
  error_code code;
  tls.read_some(asio::buffer(some), code);
  tls.shutdown(code);
}

// What came of one end's part.
struct ending {
  std::string received;
  bool well = false;
};

template <class Part>
ending run_part(Part part, contexts& use, long allocations) {
  ending became;
  became.received.reserve(greeting.size());
  until_failure = allocations;
  try {
    part(use, became.received);
    became.well = true;
  } catch (error const&) {
  } catch (std::bad_alloc const&) {
  }
  return became;
}

template <class Failing, class Other>
void fail_each(Failing failing, Other other) {
  contexts use;
  long at = 0;
  for (bool failed = true; failed; ++at) {
    BOOST_TEST_CONTEXT("allocation " << at) {
      auto beside = std::async(std::launch::async, [&] { return run_part(other, use, -1); });
      ending const ours = run_part(failing, use, at);
      failed = until_failure < 0;
      until_failure = -1;
      ending const theirs = beside.get();
      BOOST_TEST((failed || (ours.well && theirs.well)));
      BOOST_TEST(greeting.starts_with(ours.received));
      BOOST_TEST(greeting.starts_with(theirs.received));
    }
  }
  BOOST_TEST_MESSAGE(at << " allocations failed in turn");
  BOOST_TEST(at > 5);
}

// Whether the end at which the program is asked lets the other in, after an allocation of its own
// has failed, and it was called again.
bool is_let_in(hooked const& used, asks which, long& allocations) {
  engine_pair both(used.client, used.server, client_options().host("server.test").port(443));
  engine& asked = is_clients(which) ? both.client : both.server;
  engine& other = is_clients(which) ? both.server : both.client;
  bool let_in = false;
  for (int i = 0; i < 10; ++i) {
    other.handshake();
    engine_pair::carry(other, asked);
    until_failure = allocations;
    try {
      step const next = asked.handshake();
      let_in = let_in || (!next.error && next.want == want::nothing);
    } catch (std::bad_alloc const&) {
    }
    allocations = std::exchange(until_failure, -1);
    engine_pair::carry(asked, other);
  }
  return let_in;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(allocations)

BOOST_AUTO_TEST_CASE(one_that_fails_at_a_client_ends_in_an_error) { fail_each(be_client, be_server); }

BOOST_AUTO_TEST_CASE(one_that_fails_at_a_server_ends_in_an_error) { fail_each(be_server, be_client); }

// What a listener's incoming connections have beneath their operations.
BOOST_AUTO_TEST_CASE(one_that_fails_while_a_hello_is_read_ends_in_an_error) {
  server_context const server = localhost_server();
  engine client(localhost_client(), client_options().host("localhost"));
  client.handshake();
  asio::const_buffer const hello = client.output();
  long at = 0;
  for (bool failed = true; failed; ++at) {
    BOOST_TEST_CONTEXT("allocation " << at) {
      detail::memory_channel link;
      detail::hello_reader reads(server, link);
      link.lend_input(hello.data(), hello.size());
      until_failure = at;
      reads.await_hello();   // as an operation does that says how far its client has come
      step const done = reads.read();
      failed = until_failure < 0;
      until_failure = -1;
      BOOST_TEST((done.want == want::nothing));
      if (done.error) {
        BOOST_TEST(failed);
        BOOST_TEST(done.error == boost::system::errc::not_enough_memory);
      } else {
        BOOST_TEST(reads.hello().server_name == "localhost");
      }
    }
  }
  BOOST_TEST(at > 5);
}

// What the program says no to is not let in because that was lost.
BOOST_AUTO_TEST_CASE(one_that_fails_while_the_program_is_asked_lets_nobody_in) {
  for (asks const which : {asks::client_verify, asks::server_verify, asks::established,
                           asks::client_established}) {
    for (protocol const version : {protocol::tls1_2, protocol::tls1_3}) {
      hooked const used(which, takes_its_time::at_once, says::no, version);
      long none = -1;
      BOOST_TEST(!is_let_in(used, which, none));   // the first use of its contexts
      int failed = 0;
      for (long at = 0; at >= 0; ++at) {
        long left = at;
        BOOST_TEST(!is_let_in(used, which, left), which << ", allocation " << at);
        if (left >= 0) break;
        ++failed;
      }
      BOOST_TEST(failed > 3);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::allocation_test
