// Engines at the limits of the process, and of OpenSSL's older functions.

#include "engine_pair.hpp"
#include "print.hpp"
#include "tls.hpp"

#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <sys/mman.h>

namespace cotls::test::engine_limits_test {

BOOST_AUTO_TEST_SUITE(engine_limits)

// OpenSSL has about 127 types of BIO (T16).
BOOST_AUTO_TEST_CASE(engines_do_not_use_up_what_the_process_has_few_of) {
  server_context const with = localhost_server();
  auto const type = [](engine const& of) {
    return BIO_method_type(SSL_get_rbio(of.native_handle()));
  };
  engine const first{with};
  for (int i = 0; i < 3; ++i) BOOST_TEST(type(engine{with}) == type(first));
}

// More than OpenSSL can count in an `int` (T17); the pages are the system's one page of zeros.
BOOST_AUTO_TEST_CASE(a_buffer_may_be_longer_than_four_gigabytes) {
  std::size_t const size = (std::size_t{1} << 32) + 5;
  void* const pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  BOOST_REQUIRE(pages != MAP_FAILED);
  engine_pair pair(localhost_client(), localhost_server(), client_options().host("localhost"));
  BOOST_REQUIRE(pair.connect());
  step const written = pair.client.write(asio::const_buffer(pages, size));
  BOOST_TEST(written.bytes == 64u * 1024);
  pair.server.input(pair.client.output());
  BOOST_TEST(pair.server.read(asio::mutable_buffer(pages, size)).bytes == written.bytes);
  ::munmap(pages, size);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::engine_limits_test
