// Signers that are waited for: at either end, by either driver, and what becomes of those that fail,
// never answer, or are given up.

#include "print.hpp"
#include "signer_fixture.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/data/test_case.hpp>

#include <string>

namespace cotls::test::signer_test {

using namespace signer_fixture;

BOOST_FIXTURE_TEST_SUITE(signers_that_wait, fixture)

BOOST_DATA_TEST_CASE_F(fixture, the_handshake_goes_on_with_the_signature,
                       data::make({0, 1, 3}) * versions * ends * drivers, pauses, version, signs,
                       by) {
  contexts const of(signs, waiting(answer::signs, pauses, counted), version);
  pair both(context.get_executor(), of);
  auto const [client, server] = shake_hands(both, signs, by);
  BOOST_TEST(!client, both.client.last_error().what());
  BOOST_TEST(!server, both.server.last_error().what());
  BOOST_TEST(both.server.peer().verified());
  BOOST_TEST(counted.asked == 1);
  BOOST_TEST(counted.alive == 0);
}

BOOST_DATA_TEST_CASE_F(fixture, a_hook_that_waits_may_show_a_key_that_is_waited_for,
                       versions * ends * drivers, version, signs, by) {
  contexts of(signs, waiting(answer::throws, 0, counted), version);
  identity const shown = far_key().signed_by(waiting(answer::signs, 1, counted));
  auto const finds = [&](certificate_query const&) -> asio::awaitable<certificate_answer> {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_return shown;
  };
  if (signs == end::server) of.server.use(localhost_identity()).on_certificate(finds);
  else of.client.use(localhost_identity()).on_certificate_request(finds);
  pair both(context.get_executor(), of);
  auto const [client, server] = shake_hands(both, signs, by);
  BOOST_TEST(!client, both.client.last_error().what());
  BOOST_TEST(!server, both.server.last_error().what());
  BOOST_TEST(counted.asked == 1);
}

BOOST_DATA_TEST_CASE_F(fixture, a_failing_signer_ends_it_with_an_alert_and_its_reason,
                       data::make({0, 3}) * versions * ends * drivers, pauses, version, signs,
                       by) {
  contexts const of(signs, waiting(answer::throws, pauses, counted), version);
  pair both(context.get_executor(), of);
  auto const [client, server] = shake_hands(both, signs, by);
  BOOST_TEST((signs == end::server ? server : client) == errc::signer_failed);
  BOOST_TEST((signs == end::server ? client : server) == alert::internal_error);
  error const why = signing_end(both, signs).last_error();
  BOOST_TEST(says(why, "the device is gone"), why.what());
}

BOOST_DATA_TEST_CASE_F(fixture, a_wrong_signature_is_refused_by_the_peer,
                       versions * ends * drivers, version, signs, by) {
  contexts const of(signs, waiting(answer::signs_wrongly, 1, counted), version);
  pair both(context.get_executor(), of);
  auto const [client, server] = shake_hands(both, signs, by);
  BOOST_TEST(client.failed());
  BOOST_TEST(server.failed());
}

BOOST_DATA_TEST_CASE_F(fixture, a_signer_that_never_answers_ends_at_the_deadline,
                       data::make({answer::never, answer::never_and_heeds_nothing}) * versions *
                           ends * drivers,
                       how, version, signs, by) {
  contexts const of(signs, waiting(how, 1, counted), version);
  {
    pair both(context.get_executor(), of);
    signing_end(both, signs).set_handshake_timeout(50ms);
    auto const [client, server] = shake_hands(both, signs, by);
    BOOST_TEST((signs == end::server ? server : client) == errc::handshake_timeout);
    BOOST_TEST((signs == end::server ? client : server) == alert::internal_error);
    error_code again;
    signing_end(both, signs).async_handshake([&](error_code code) { again = code; });
    settle();
    BOOST_TEST(again == errc::handshake_timeout);
  }
  settle();
  BOOST_TEST(counted.asked == 1);
  BOOST_TEST(counted.alive == (how == answer::never ? 0 : 1));   // its own affair
}

BOOST_DATA_TEST_CASE_F(fixture, a_cancelled_handshake_ends_its_signer_and_cannot_be_gone_on_with,
                       versions * ends, version, signs) {
  contexts const of(signs, waiting(answer::never, 1, counted), version);
  pair both(context.get_executor(), of);
  std::optional<error_code> first;
  signing_end(both, signs)
      .async_handshake(asio::bind_cancellation_slot(cancel.slot(),
                                                    [&](error_code code) { first = code; }));
  std::optional<error_code> other;
  signing_end(both, signs == end::server ? end::client : end::server)
      .async_handshake([&](error_code code) { other = code; });
  run_until([&] { return counted.alive == 1; });
  cancel.emit(asio::cancellation_type::total);
  run_until([&] { return first.has_value(); });
  BOOST_TEST(*first == asio::error::operation_aborted);
  settle();
  BOOST_TEST(counted.alive == 0);
  std::optional<error_code> second;
  signing_end(both, signs).async_handshake([&](error_code code) { second = code; });
  run_until([&] { return second && other; });
  BOOST_TEST((*second == errc::answer_abandoned));
  BOOST_TEST((*other == alert::internal_error));
  BOOST_TEST(counted.asked == 1);
}

BOOST_DATA_TEST_CASE_F(fixture, a_stream_that_is_dropped_meanwhile_ends_its_signer_once,
                       versions * ends, version, signs) {
  contexts const of(signs, waiting(answer::never, 1, counted), version);
  std::optional<error_code> ended;
  std::optional<error_code> others;
  {
    std::optional<pair> both(std::in_place, context.get_executor(), of);
    signing_end(*both, signs).async_handshake([&](error_code code) { ended = code; });
    signing_end(*both, signs == end::server ? end::client : end::server)
        .async_handshake([&](error_code code) { others = code; });
    run_until([&] { return counted.alive == 1; });
    both.reset();
    run_until([&] { return ended && others; });
  }
  BOOST_TEST(*ended == asio::error::operation_aborted);
  settle();
  BOOST_TEST(counted.alive == 0);
}

BOOST_DATA_TEST_CASE_F(fixture, a_read_or_a_write_waits_for_the_signature_too,
                       versions * ends, version, signs) {
  contexts const of(signs, waiting(answer::signs, 1, counted), version);
  pair both(context.get_executor(), of);
  std::optional<error_code> written;
  std::optional<error_code> got;
  std::string text(5, '\0');
  asio::async_write(both.client, asio::buffer("hello", 5),
                    [&](error_code code, std::size_t) { written = code; });
  asio::async_read(both.server, asio::buffer(text),
                   [&](error_code code, std::size_t) { got = code; });
  run_until([&] { return written && got; });
  BOOST_TEST(!*written);
  BOOST_TEST(!*got);
  BOOST_TEST(text == "hello");
  BOOST_TEST(counted.asked == 1);
}

BOOST_DATA_TEST_CASE_F(fixture, a_reader_and_a_writer_at_once_share_a_handshake, versions * ends,
                       version, signs) {
  contexts const of(signs, waiting(answer::signs, 3, counted), version);
  pair both(context.get_executor(), of);
  int done = 0;
  std::array<std::string, 2> texts{std::string(5, '\0'), std::string(5, '\0')};
  auto const one_more = [&](error_code code, std::size_t) {
    BOOST_TEST(!code);
    ++done;
  };
  asio::async_read(both.client, asio::buffer(texts[0]), one_more);
  asio::async_write(both.client, asio::buffer("hello", 5), one_more);
  asio::async_read(both.server, asio::buffer(texts[1]), one_more);
  asio::async_write(both.server, asio::buffer("world", 5), one_more);
  run_until([&] { return done == 4; });
  BOOST_TEST(texts[0] == "world");
  BOOST_TEST(texts[1] == "hello");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::signer_test
