// The operations alone, against an engine that answers from a script.

#include "operation_fixture.hpp"
#include "print.hpp"

#include <boost/test/unit_test.hpp>

#include <array>

namespace cotls::test::operation_test {

BOOST_FIXTURE_TEST_SUITE(operation, operation_fixture)

BOOST_AUTO_TEST_CASE(a_read_with_data_at_hand_completes_without_waiting) {
  engine.answers = {{want::nothing, 5, {}}};
  read op(&connection, room());
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(op.transferred() == 5u);
  BOOST_TEST(!op.error());
  BOOST_TEST(!connection.reading.busy);
}

BOOST_AUTO_TEST_CASE(a_read_without_data_waits_for_input_and_then_looks_again) {
  engine.answers = {{want::input, 0, {}}, {want::nothing, 7, {}}};
  read op(&connection, room());
  BOOST_TEST(op.advance() == action::wait_input);
  BOOST_TEST(connection.reading.busy);
  BOOST_TEST(asked("input_arrived", 0));
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(asked("input_arrived", 1));
  BOOST_TEST(op.transferred() == 7u);
}

BOOST_AUTO_TEST_CASE(a_read_into_empty_buffers_completes_without_the_engine) {
  read op(&connection, asio::mutable_buffer());
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(!op.error());
  BOOST_TEST(asked("read", 0));
}

BOOST_AUTO_TEST_CASE(a_second_read_is_refused_and_leaves_the_first_its_claim) {
  engine.answers = {{want::input, 0, {}}};
  read first(&connection, room());
  BOOST_TEST(first.advance() == action::wait_input);
  read second(&connection, room());
  BOOST_TEST(second.advance() == action::complete);
  BOOST_TEST(second.error() == errc::operation_in_progress);
  BOOST_TEST(connection.reading.busy);
  BOOST_TEST(first.advance() == action::complete);
  BOOST_TEST(!connection.reading.busy);
}

BOOST_AUTO_TEST_CASE(a_write_beside_a_read_is_allowed) {
  engine.answers = {{want::input, 0, {}}, {want::nothing, 64, {}}};
  read reader(&connection, room());
  BOOST_TEST(reader.advance() == action::wait_input);
  write writer(&connection, data(), amount::all);
  BOOST_TEST(writer.advance() == action::complete);
  BOOST_TEST(!writer.error());
}

BOOST_AUTO_TEST_CASE(an_empty_stream_answers_not_connected) {
  read op(nullptr, room());
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(op.error() == errc::not_connected);
}

BOOST_AUTO_TEST_CASE(a_cancelled_read_does_not_touch_the_engine_again) {
  engine.answers = {{want::input, 0, {}}, {want::nothing, 7, {}}};
  read op(&connection, room());
  BOOST_TEST(op.advance() == action::wait_input);
  // The wait ended well, and the cancellation came before its handler ran (A14).
  BOOST_TEST(op.advance({}, interruption::cancelled) == action::complete);
  BOOST_TEST(op.error() == asio::error::operation_aborted);
  BOOST_TEST(op.transferred() == 0u);
  BOOST_TEST(asked("read", 1));
  BOOST_TEST(!connection.reading.busy);
}

BOOST_AUTO_TEST_CASE(a_wait_that_fails_ends_the_operation_with_its_error) {
  engine.answers = {{want::input, 0, {}}};
  read op(&connection, room());
  op.advance();
  BOOST_TEST(op.advance(asio::error::bad_descriptor) == action::complete);
  BOOST_TEST(op.error() == asio::error::bad_descriptor);
}

BOOST_AUTO_TEST_CASE(a_wait_that_the_connection_ended_itself_is_taken_up_again) {
  engine.answers = {{want::input, 0, {}}, {want::nothing, 3, {}}};
  read op(&connection, room());
  op.advance();
  connection.reading.woken = true;
  BOOST_TEST(op.advance(asio::error::operation_aborted) == action::complete);
  BOOST_TEST(!op.error());
  BOOST_TEST(op.transferred() == 3u);
}

BOOST_AUTO_TEST_CASE(an_aborted_wait_that_nobody_announced_ends_the_operation) {
  engine.answers = {{want::input, 0, {}}, {want::nothing, 3, {}}};
  read op(&connection, room());
  op.advance();
  BOOST_TEST(op.advance(asio::error::operation_aborted) == action::complete);
  BOOST_TEST(op.error() == asio::error::operation_aborted);
  BOOST_TEST(op.transferred() == 0u);
}

BOOST_AUTO_TEST_CASE(a_wake_for_the_reader_is_not_taken_by_a_writer) {
  engine.answers = {{want::input, 0, {}}, {want::nothing, 64, {}}, {want::nothing, 3, {}}};
  read reader(&connection, room());
  reader.advance();
  connection.reading.woken = true;
  write writer(&connection, data(), amount::all);
  BOOST_TEST(writer.advance() == action::complete);
  BOOST_TEST(reader.advance(asio::error::operation_aborted) == action::complete);
  BOOST_TEST(!reader.error());
}

BOOST_AUTO_TEST_CASE(a_failed_read_is_reported_when_its_alert_has_left) {
  engine.answers = {{want::nothing, 0, alert::bad_record_mac}};
  engine.has_failed = true;
  engine.emits = 30;
  read op(&connection, room());
  BOOST_TEST(op.advance() == action::wait_output);
  engine.flush_takes = 30;
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(op.error() == alert::bad_record_mac);
  BOOST_TEST(asked("read", 1));
}

BOOST_AUTO_TEST_CASE(a_failed_read_leaves_its_alert_to_the_writer_that_is_on_its_way) {
  engine.answers = {{want::output, 64, {}}, {want::nothing, 0, alert::bad_record_mac}};
  engine.has_failed = true;
  engine.emits = 30;
  write writer(&connection, data(), amount::all);
  BOOST_TEST(writer.advance() == action::wait_output);
  read reader(&connection, room());
  BOOST_TEST(reader.advance() == action::complete);
  BOOST_TEST(reader.error() == alert::bad_record_mac);
}

BOOST_AUTO_TEST_CASE(an_end_is_reported_though_ciphertext_waits_to_leave) {
  engine.answers = {{want::nothing, 0, asio::error::eof}};
  engine.unsent_bytes = 30;
  read op(&connection, room());
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(op.error() == asio::error::eof);
}

BOOST_AUTO_TEST_CASE(a_shutdown_that_fails_is_reported_when_its_alert_has_left) {
  engine.answers = {{want::nothing, 0, alert::bad_record_mac}};
  engine.has_failed = true;
  engine.emits = 30;
  shutdown op(&connection);
  BOOST_TEST(op.advance() == action::wait_output);
  engine.flush_takes = 30;
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(op.error() == alert::bad_record_mac);
  BOOST_TEST(asked("shutdown", 1));
}

BOOST_AUTO_TEST_CASE(a_cancelled_direction_aborts_what_waits_though_its_wait_ended_well) {
  engine.answers = {{want::input, 0, {}}};
  read op(&connection, room());
  op.advance();
  connection.reading.cancelled = true;
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(op.error() == asio::error::operation_aborted);
  BOOST_TEST(asked("read", 1));
}

BOOST_AUTO_TEST_CASE(a_cancellation_ends_one_operation_and_not_the_next) {
  engine.answers = {{want::input, 0, {}}, {want::input, 0, {}}, {want::nothing, 3, {}}};
  handshake first(&connection);
  first.advance();
  connection.reading.cancelled = connection.writing.cancelled = true;
  BOOST_TEST(first.advance() == action::complete);
  handshake second(&connection);
  BOOST_TEST(second.advance() == action::wait_input);
  BOOST_TEST(second.advance() == action::complete);
  BOOST_TEST(!second.error());
}

BOOST_AUTO_TEST_CASE(a_closed_connection_aborts_what_waits) {
  engine.answers = {{want::input, 0, {}}};
  read op(&connection, room());
  op.advance();
  connection.reading.closed = true;
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(op.error() == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(a_lone_reader_with_unsent_ciphertext_waits_for_either) {
  engine.answers = {{want::input, 0, {}}};
  engine.unsent_bytes = 10;
  read op(&connection, room());
  BOOST_TEST(op.advance() == action::wait_either);
}

BOOST_AUTO_TEST_CASE(a_flight_that_is_held_leaves_before_a_wait_and_not_before_data) {
  engine.answers = {{want::nothing, 1, {}}, {want::input, 0, {}}};
  read first(&connection, room());
  BOOST_TEST(first.advance() == action::complete);
  BOOST_TEST(asked("send_flight", 0));
  read second(&connection, room());
  BOOST_TEST(second.advance() == action::wait_input);
  BOOST_TEST(asked("send_flight", 1));
}

BOOST_AUTO_TEST_CASE(a_reader_leaves_unsent_ciphertext_to_a_writer_that_is_waiting) {
  write writer(&connection, data(), amount::all);
  engine.unsent_bytes = 10;
  BOOST_TEST(writer.advance() == action::wait_output);
  read reader(&connection, room());
  engine.answers = {{want::input, 0, {}}};
  BOOST_TEST(reader.advance() == action::wait_input);
}

BOOST_AUTO_TEST_CASE(a_cut_write_wakes_the_reader_for_what_is_unsent) {
  engine.answers = {{want::input, 0, {}}};
  read reader(&connection, room());
  BOOST_TEST(reader.advance() == action::wait_input);
  engine.unsent_bytes = 10;
  write writer(&connection, data(), amount::all);
  BOOST_TEST(writer.advance() == action::wait_output);
  BOOST_TEST(writer.advance({}, interruption::cancelled) == action::complete);
  BOOST_TEST(connection.reading.woken);
  BOOST_TEST(connection.interruptions == 1);
  engine.answers = {{want::input, 0, {}}};
  BOOST_TEST(reader.advance(asio::error::operation_aborted) == action::wait_either);
}

BOOST_AUTO_TEST_CASE(a_write_is_done_when_its_ciphertext_has_left) {
  engine.answers = {{want::nothing, 64, {}}};
  write op(&connection, data(), amount::all);
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(op.transferred() == 64u);
}

BOOST_AUTO_TEST_CASE(a_write_waits_while_its_ciphertext_has_not_left) {
  engine.answers = {{want::output, 64, {}}};
  engine.emits = 1;
  write op(&connection, data(), amount::all);
  BOOST_TEST(op.advance() == action::wait_output);
  BOOST_TEST(op.advance() == action::wait_output);
  engine.flush_takes = 1;
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(op.transferred() == 64u);
}

BOOST_AUTO_TEST_CASE(a_cut_write_counts_what_was_taken) {
  std::array<char, 200> large{};
  engine.answers = {{want::nothing, 150, {}}, {want::input, 0, {}}};
  write op(&connection, asio::buffer(large), amount::all);
  BOOST_TEST(op.advance() == action::wait_input);
  BOOST_TEST(op.advance({}, interruption::cancelled) == action::complete);
  BOOST_TEST(op.error() == asio::error::operation_aborted);
  BOOST_TEST(op.transferred() == 150u);
}

BOOST_AUTO_TEST_CASE(a_write_of_all_offers_the_rest_until_nothing_is_left) {
  engine.answers = {{want::nothing, 10, {}}, {want::nothing, 20, {}}, {want::nothing, 34, {}}};
  write op(&connection, data(), amount::all);
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST((engine.sizes == std::vector<std::size_t>{64, 54, 34}));
}

BOOST_AUTO_TEST_CASE(a_write_of_some_is_done_after_the_first_step) {
  engine.answers = {{want::nothing, 10, {}}, {want::nothing, 20, {}}};
  write op(&connection, data(), amount::some);
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(op.transferred() == 10u);
}

BOOST_AUTO_TEST_CASE(a_write_of_nothing_does_not_reach_the_engine) {
  write op(&connection, asio::const_buffer(), amount::all);
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(!op.error());
  BOOST_TEST(asked("write", 0));
}

BOOST_AUTO_TEST_CASE(a_failed_send_ends_the_next_write) {
  engine.failed_send = asio::error::broken_pipe;
  write op(&connection, data(), amount::all);
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(op.error() == asio::error::broken_pipe);
}

BOOST_AUTO_TEST_CASE(a_failed_handshake_sends_its_alert_before_it_reports) {
  engine.answers = {{want::nothing, 0, errc::handshake_truncated}};
  engine.emits = 7;
  handshake op(&connection);
  BOOST_TEST(op.advance() == action::wait_output);
  engine.flush_takes = 7;
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(op.error() == errc::handshake_truncated);
  BOOST_TEST(asked("handshake", 1));
}

BOOST_AUTO_TEST_CASE(a_handshake_holds_both_directions) {
  engine.answers = {{want::input, 0, {}}};
  handshake op(&connection);
  BOOST_TEST(op.advance() == action::wait_input);
  read reader(&connection, room());
  BOOST_TEST(reader.advance() == action::complete);
  BOOST_TEST(reader.error() == errc::operation_in_progress);
  write writer(&connection, data(), amount::all);
  BOOST_TEST(writer.advance() == action::complete);
  BOOST_TEST(writer.error() == errc::operation_in_progress);
}

BOOST_AUTO_TEST_CASE(a_handshake_past_its_deadline_says_so) {
  engine.answers = {{want::input, 0, {}}};
  handshake op(&connection);
  op.advance();
  BOOST_TEST(op.advance({}, interruption::deadline) == action::complete);
  BOOST_TEST(op.error() == errc::handshake_timeout);
  BOOST_TEST(!connection.reading.busy);
  BOOST_TEST(!connection.writing.busy);
}

BOOST_AUTO_TEST_CASE(what_was_meant_for_an_operation_does_not_reach_the_next) {
  // As from inside a callback of OpenSSL's: the operation that is meant is not waiting.
  read first(&connection, room());
  engine.answers = {{want::nothing, 1, {}}};
  first.advance();
  connection.reading.cancelled = connection.reading.woken = true;
  engine.answers = {{want::nothing, 1, {}}};
  read second(&connection, room());
  BOOST_TEST(second.advance() == action::complete);
  BOOST_TEST(!second.error());
}

BOOST_AUTO_TEST_CASE(a_handshake_does_not_wait_for_what_nobody_waits_for) {
  engine.unsent_bytes = 0;
  engine.emits = 500;
  engine.answers = {{want::nothing, 0, {}}};
  engine.flight_is_awaited = false;
  handshake op(&connection);
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(!op.error());
  BOOST_TEST(engine.unsent() == 500u);
}

BOOST_AUTO_TEST_CASE(a_handshake_that_failed_waits_for_its_alert_all_the_same) {
  engine.emits = 7;
  engine.answers = {{want::nothing, 0, alert::bad_certificate}};
  engine.flight_is_awaited = false;
  handshake op(&connection);
  BOOST_TEST(op.advance() == action::wait_output);
}

BOOST_AUTO_TEST_CASE(the_alert_that_explains_why_nothing_can_be_sent_is_the_failure) {
  engine.failed_send = asio::error::broken_pipe;
  engine.alert_behind = alert::certificate_expired;
  write writer(&connection, data(), amount::all);
  BOOST_TEST(writer.advance() == action::complete);
  BOOST_TEST(writer.error() == alert::certificate_expired);
  close_write closer(&connection);
  BOOST_TEST(closer.advance() == action::complete);
  BOOST_TEST(closer.error() == alert::certificate_expired);
  handshake shaker(&connection);
  BOOST_TEST(shaker.advance() == action::complete);
  BOOST_TEST(shaker.error() == alert::certificate_expired);
}

BOOST_AUTO_TEST_CASE(a_write_that_meets_unread_data_wakes_the_reader_that_waits) {
  engine.answers = {{want::input, 0, {}}, {want::nothing, 0, errc::unread_data}};
  read reader(&connection, room());
  BOOST_TEST(reader.advance() == action::wait_input);
  write writer(&connection, data(), amount::all);
  BOOST_TEST(writer.advance() == action::complete);
  BOOST_TEST(writer.error() == errc::unread_data);
  engine.answers = {{want::nothing, 5, {}}};
  BOOST_TEST(reader.advance(asio::error::operation_aborted) == action::complete);
  BOOST_TEST(reader.transferred() == 5u);
}

BOOST_AUTO_TEST_CASE(what_no_operation_can_give_is_an_error_and_no_endless_loop) {
  auto const ends = []<class Operation>(Operation, want asked) {
    scripted_connection fresh;
    fresh.engine().answers = {{asked, 0, {}}};
    Operation op(&fresh);
    BOOST_TEST(op.advance() == action::complete);
    BOOST_TEST(op.error() == errc::unexpected_result);
  };
  for (want asked : {want::connect, want::accept, want::async, want::async_job}) {
    ends(handshake(nullptr), asked);
    ends(shutdown(nullptr), asked);
    ends(close_write(nullptr), asked);
  }
}

BOOST_AUTO_TEST_CASE(what_openssl_asks_the_program_is_asked_and_then_looked_at_again) {
  for (want question : {want::client_hello, want::certificate, want::verification, want::signature}) {
    engine.calls.clear();
    engine.answers = {{question, 0, {}}, {question, 0, {}}, {}};
    handshake op(&connection);
    BOOST_TEST(op.advance() == action::ask);
    BOOST_TEST(op.advance() == action::ask);
    BOOST_TEST(connection.reading.busy);
    BOOST_TEST(op.advance() == action::complete);
    BOOST_TEST(!op.error());
    BOOST_TEST(asked("input_arrived", 0));
  }
}

BOOST_AUTO_TEST_CASE(a_question_that_has_no_answer_ends_the_handshake) {
  engine.answers = {{want::certificate, 0, {}}};
  handshake op(&connection);
  BOOST_TEST(op.advance() == action::ask);
  BOOST_TEST(op.advance({}, interruption::deadline) == action::complete);
  BOOST_TEST(op.error() == errc::handshake_timeout);
  BOOST_TEST(asked("give_up_handshake", 1));
}

BOOST_AUTO_TEST_CASE(the_operation_that_failed_is_remembered_and_a_cancelled_one_is_not) {
  engine.answers = {{want::nothing, 0, errc::stream_truncated}, {want::input, 0, {}}};
  read ended(&connection, room());
  ended.advance();
  BOOST_TEST(engine.last_failure.first == errc::stream_truncated);
  BOOST_TEST(engine.last_failure.second == "read");
  read cut(&connection, room());
  cut.advance();
  cut.advance({}, interruption::cancelled);
  BOOST_TEST(cut.error() == asio::error::operation_aborted);
  BOOST_TEST(engine.last_failure.first == errc::stream_truncated);
}

BOOST_AUTO_TEST_CASE(a_shutdown_discards_data_until_the_peers_close_notify) {
  engine.answers = {{want::nothing, 100, {}}, {want::input, 0, {}}, {want::nothing, 100, {}}, {}};
  shutdown op(&connection);
  BOOST_TEST(op.advance() == action::wait_input);
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(!op.error());
  BOOST_TEST(asked("shutdown", 4));
}

BOOST_AUTO_TEST_CASE(close_write_leaves_the_reading_direction_alone) {
  engine.answers = {{want::input, 0, {}}};
  read reader(&connection, room());
  BOOST_TEST(reader.advance() == action::wait_input);
  close_write op(&connection);
  BOOST_TEST(op.advance() == action::complete);
  BOOST_TEST(!op.error());
  BOOST_TEST(connection.reading.busy);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::operation_test
