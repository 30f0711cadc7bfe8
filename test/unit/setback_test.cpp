// What a listener takes a failed accept for (A9).

#include "listen/patient_acceptor.hpp"

#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

namespace cotls::test::setback_test {

namespace asio = boost::asio;
using detail::setback;
using detail::setback_of;
namespace system_errc = boost::system::errc;

BOOST_AUTO_TEST_SUITE(setbacks)

BOOST_AUTO_TEST_CASE(a_client_that_is_gone_before_it_was_accepted_ends_nothing) {
  BOOST_TEST((setback_of(asio::error::connection_aborted) == setback::passing));
  BOOST_TEST((setback_of(asio::error::connection_reset) == setback::passing));
  BOOST_TEST((setback_of(make_error_code(system_errc::protocol_error)) == setback::passing));
}

// accept(2): "ENOBUFS, ENOMEM: Not enough free memory. This often means that the memory allocation is
// limited by the socket buffer limits, not by the system memory."
BOOST_AUTO_TEST_CASE(what_may_be_free_again_soon_is_waited_for) {
  BOOST_TEST((setback_of(asio::error::no_descriptors) == setback::exhausted));
  BOOST_TEST((setback_of(make_error_code(system_errc::too_many_files_open_in_system)) ==
              setback::exhausted));
  BOOST_TEST((setback_of(asio::error::no_buffer_space) == setback::exhausted));
  BOOST_TEST((setback_of(asio::error::no_memory) == setback::exhausted));
}

BOOST_AUTO_TEST_CASE(an_acceptor_that_was_closed_accepts_no_more) {
  BOOST_TEST((setback_of(asio::error::operation_aborted) == setback::final));
  BOOST_TEST((setback_of(asio::error::bad_descriptor) == setback::final));
  BOOST_TEST((setback_of(asio::error::invalid_argument) == setback::final));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::setback_test
