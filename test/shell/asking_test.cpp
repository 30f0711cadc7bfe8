// A handshake that stops for an answer of the program's: each driver has it answered, and ends at the
// deadline or when it is cancelled, whether the program heeds that or not.

#include "print.hpp"
#include "run.hpp"
#include "scripted_connection.hpp"

#include <cotls/detail/driver/awaitable_driver.hpp>
#include <cotls/detail/driver/blocking_driver.hpp>
#include <cotls/detail/driver/composed_driver.hpp>
#include <cotls/detail/engine/question.hpp>
#include <cotls/detail/operation/core.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>

namespace cotls::test::asking_test {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

// What the program does about a question.
struct program {
  std::function<asio::awaitable<void>()> answers;   // empty: nobody is asked
  bool has_answered = false;
  int asked = 0;
  std::weak_ptr<detail::question> last;
};

class programs_answer final : public detail::question {
 public:
  explicit programs_answer(program& asked) : program_(&asked) { wait(); }
  asio::awaitable<void> answer() override {
    ++program_->asked;
    co_await program_->answers();
    program_->has_answered = true;
    settle(detail::progress::answered, [] {});
  }

 private:
  program* program_;
};

// Stops until the program has answered.
class asking_engine : public scripted_engine {
 public:
  asking_engine(program* const& asks, detail::channel&) : program_(asks) {}

  step handshake() {
    return program_->has_answered ? step{} : step{want::certificate, 0, {}};
  }
  std::shared_ptr<detail::question> asked() const {
    if (!program_->answers) return nullptr;
    auto made = std::make_shared<programs_answer>(*program_);
    program_->last = made;
    return made;
  }
  error failure_of(error_code code, char const*) const { return error(code); }

 private:
  program* program_;
};

using local_socket = asio::local::stream_protocol::socket;
using core = detail::core<local_socket, asking_engine>;

// Over a socket, for which nothing ever has to be waited.
std::shared_ptr<core> make_core(asio::io_context& context, program* asks) {
  local_socket near(context);
  local_socket far(context);
  asio::local::connect_pair(near, far);
  return std::make_shared<core>(std::move(near), asks);
}

using handshake = detail::handshake_operation<core>;

enum class driver { composed, composed_without_deadline, awaited, blocking };

std::ostream& operator<<(std::ostream& out, driver which) {
  return out << "driver " << static_cast<int>(which);
}

constexpr driver all_drivers[]{driver::composed, driver::composed_without_deadline,
                               driver::awaited, driver::blocking};

struct fixture {
  asio::io_context context;
  program asks;
  asio::cancellation_signal cancel;
  std::optional<error_code> result;
  std::shared_ptr<core> over = make_core(context, &asks);

  // Runs a handshake until it is over, which what the program does may outlast.
  error_code shake_hands(driver by, clock::duration limit = 20s) {
    auto const done = [this](error_code code) { result = code; };
    switch (by) {
      case driver::composed:
        detail::compose<handshake>(over, limit, asio::bind_cancellation_slot(cancel.slot(), done));
        break;
      case driver::composed_without_deadline:
        detail::compose<handshake>(over, std::nullopt,
                                   asio::bind_cancellation_slot(cancel.slot(), done));
        break;
      case driver::awaited: {
        using token = asio::as_tuple_t<asio::use_awaitable_t<>>;
        detail::awaitable_token<token> const ending(asio::as_tuple(asio::use_awaitable));
        asio::co_spawn(context, detail::run_awaitable<handshake>(over, ending),
                       asio::bind_cancellation_slot(
                           cancel.slot(), [done](std::exception_ptr, std::tuple<error_code> got) {
                             done(std::get<0>(got));
                           }));
        break;
      }
      case driver::blocking: {
        error_code code;
        detail::run_blocking<handshake>(over.get(), detail::moment_after(limit), code);
        result = code;
        break;
      }
    }
    auto const until = clock::now() + 20s;
    while (!result && clock::now() < until) context.run_one_until(until);
    BOOST_REQUIRE(result.has_value());
    return *result;
  }
};

asio::awaitable<void> pause(int times) {
  for (int i = 0; i < times; ++i) {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }
}

// Heeds no cancellation.
asio::awaitable<void> never() {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  asio::steady_timer waits(co_await asio::this_coro::executor, clock::time_point::max());
  co_await waits.async_wait(asio::use_awaitable);
}

namespace data = boost::unit_test::data;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(asking, fixture)

BOOST_DATA_TEST_CASE_F(fixture, an_answer_lets_the_handshake_go_on,
                       data::make(all_drivers) * data::make({0, 1, 3}), by, pauses) {
  asks.answers = [pauses = pauses] { return pause(pauses); };
  BOOST_TEST(!shake_hands(by));
  BOOST_TEST(asks.asked == 1);
  BOOST_TEST(!over->reading.busy);
}

BOOST_DATA_TEST_CASE_F(fixture, a_question_that_cannot_be_put_ends_it_with_the_reason,
                       data::make(all_drivers), by) {
  asks.answers = []() -> asio::awaitable<void> {
    co_await pause(1);
    throw boost::system::system_error(asio::error::host_not_found);
  };
  BOOST_TEST(shake_hands(by) == asio::error::host_not_found);
}

BOOST_DATA_TEST_CASE_F(fixture, what_else_is_thrown_ends_it_too, data::make(all_drivers), by) {
  asks.answers = []() -> asio::awaitable<void> {
    throw std::logic_error("none of ours");
    co_return;
  };
  BOOST_TEST(shake_hands(by) == errc::unexpected_result);
}

BOOST_DATA_TEST_CASE_F(fixture, a_question_of_nobodys_ends_it, data::make(all_drivers), by) {
  BOOST_TEST(shake_hands(by) == errc::unexpected_result);
  BOOST_TEST(asks.asked == 0);
}

BOOST_DATA_TEST_CASE_F(fixture, at_the_deadline_it_ends_whatever_the_program_does,
                       data::make({driver::composed, driver::blocking}), by) {
  asks.answers = never;
  BOOST_TEST(shake_hands(by, 30ms) == errc::handshake_timeout);
  BOOST_TEST(!over->reading.busy);
}

BOOST_DATA_TEST_CASE_F(fixture, cancelled_it_ends_whatever_the_program_does,
                       data::make({driver::composed, driver::composed_without_deadline,
                                   driver::awaited}),
                       by) {
  asks.answers = [this]() -> asio::awaitable<void> {
    asio::post(context, [this] { cancel.emit(asio::cancellation_type::terminal); });
    co_await never();
  };
  BOOST_TEST(shake_hands(by) == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(a_cancellation_reaches_the_program) {
  error_code heard;
  asks.answers = [this, &heard]() -> asio::awaitable<void> {
    asio::post(context, [this] { cancel.emit(asio::cancellation_type::terminal); });
    asio::steady_timer waits(co_await asio::this_coro::executor, clock::time_point::max());
    co_await waits.async_wait(asio::redirect_error(asio::use_awaitable, heard));
  };
  BOOST_TEST(shake_hands(driver::composed) == asio::error::operation_aborted);
  run_for(context);
  BOOST_TEST(heard == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(a_context_that_ends_takes_the_question_with_it) {
  auto const alive = std::make_shared<int>();
  std::weak_ptr<detail::question> question;
  {
    asio::io_context ends;
    program asked_there;
    asked_there.answers = [alive]() -> asio::awaitable<void> {
      auto const kept = alive;
      co_await never();
    };
    auto const there = make_core(ends, &asked_there);
    detail::compose<handshake>(there, std::nullopt, [alive, there](error_code) {});
    ends.run_for(10ms);
    BOOST_TEST(asked_there.asked == 1);
    question = asked_there.last;
    BOOST_TEST(!question.expired());
  }
  BOOST_TEST(alive.use_count() == 1);
  BOOST_TEST(question.expired());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::asking_test
