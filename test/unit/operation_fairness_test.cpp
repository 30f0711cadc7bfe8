// What the operations take of their thread's time, against an engine that answers from a script.

#include "operation_fixture.hpp"
#include "print.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <utility>

namespace cotls::test::operation_fairness_test {

BOOST_FIXTURE_TEST_SUITE(operation_fairness, operation_fixture)

BOOST_AUTO_TEST_CASE(a_fast_peer_makes_the_reader_yield_before_it_takes_more) {
  bool yielded = false;
  for (unsigned i = 0; i <= detail::gate::max_records && !yielded; ++i) {
    engine.answers = {{{want::nothing, 1, {}}, 1, 23}};
    read op(&connection, room());
    if (op.advance() == action::yield) {
      yielded = true;
      BOOST_TEST(op.transferred() == 0u);
      BOOST_TEST(op.advance() == action::complete);
      BOOST_TEST(op.transferred() == 1u);
    }
  }
  BOOST_TEST(yielded);
}

BOOST_AUTO_TEST_CASE(many_records_or_much_ciphertext_in_one_read_make_the_next_one_yield) {
  for (auto const& [records, ciphertext] : {std::pair(64, 1'472), std::pair(16, 262'144)}) {
    engine.answers = {{{want::nothing, 1, {}}, std::size_t(records), std::size_t(ciphertext)}};
    read op(&connection, room());
    BOOST_TEST(op.advance() == action::complete);
    read next(&connection, room());
    BOOST_TEST(next.advance() == action::yield);
    BOOST_TEST(next.advance() == action::complete);
  }
}

BOOST_AUTO_TEST_CASE(a_record_that_is_read_byte_by_byte_is_one_record) {
  for (int i = 0; i < 16'384; ++i) {
    engine.answers = {{{want::nothing, 1, {}}, std::size_t(i == 0), 0}};
    read op(&connection, room());
    BOOST_REQUIRE(op.advance() == action::complete);
  }
}

BOOST_AUTO_TEST_CASE(a_reader_that_waited_does_not_yield) {
  for (unsigned i = 0; i <= 2 * detail::gate::max_records; ++i) {
    engine.answers = {{want::input, 0, {}}, {{want::nothing, 1, {}}, 1, 23}};
    read op(&connection, room());
    BOOST_REQUIRE(op.advance() == action::wait_input);
    BOOST_REQUIRE(op.advance() == action::complete);
  }
}

BOOST_AUTO_TEST_CASE(too_much_unsent_makes_a_reader_wait_for_output) {
  engine.answers = {{want::output, 0, {}}};
  engine.too_much_unsent = true;
  read op(&connection, room());
  BOOST_TEST(op.advance() == action::wait_output);
}

// Were it to wait for output, two peers that write to each other could wait for ever.
BOOST_AUTO_TEST_CASE(a_call_that_was_paused_yields_whatever_is_unsent) {
  engine.answers = {{want::output, 0, {}}};
  engine.unsent_bytes = 10;
  read op(&connection, room());
  BOOST_TEST(op.advance() == action::yield);
}

BOOST_AUTO_TEST_CASE(a_shutdown_against_a_peer_that_keeps_sending_yields) {
  for (int i = 0; i < 1000; ++i) engine.answers.push_back({{want::nothing, 16384, {}}, 1, 16406});
  shutdown op(&connection);
  BOOST_TEST(op.advance() == action::yield);
  BOOST_TEST(op.advance({}, interruption::deadline) == action::complete);
  BOOST_TEST(op.error() == errc::shutdown_timeout);
}

BOOST_AUTO_TEST_CASE(a_blocking_call_meets_its_deadline_though_no_wait_of_its_does) {
  ever_ready flooded;
  flooded.engine().answers = std::deque(10, detail::read_step{want::input, 0, {}});
  error_code code;
  detail::run_blocking<detail::read_operation<ever_ready, asio::mutable_buffer>>(
      &flooded, std::chrono::steady_clock::now(), code, room());
  BOOST_TEST(code == asio::error::timed_out);
  BOOST_TEST(flooded.waits == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::operation_fairness_test
