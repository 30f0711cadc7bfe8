// A question to the program, and those who wait for its answer: it is worked on once, answered
// once, and each is told once, in whichever threads that happens. (In handshakes: unit/hooks.)

#include "engine/dialogue.hpp"
#include "print.hpp"

#include <cotls/detail/operation/asking.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace cotls::test::question_test {
namespace {

namespace asio = boost::asio;
using detail::progress;
using question_type = detail::asked<int>;

// What becomes of the program's work.
struct counted {
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  std::atomic<int> elsewhere = 0;   // ended where it does not belong
};

// Whether this is where the strand runs what it is given.
bool is_on(asio::any_io_executor const& executor) {
  auto const* strand = executor.target<asio::strand<asio::any_io_executor>>();
  return strand && strand->running_in_this_thread();
}

class local {
 public:
  local(counted& of, asio::any_io_executor executor) : of_(of), executor_(std::move(executor)) {
    ++of_.begun;
  }
  local(local const&) = delete;
  local& operator=(local const&) = delete;
  ~local() {
    if (!is_on(executor_)) ++of_.elsewhere;
    ++of_.ended;
  }

 private:
  counted& of_;
  asio::any_io_executor executor_;
};

asio::awaitable<int> says(counted& of, int what, int pauses) {
  auto const executor = co_await asio::this_coro::executor;
  local const here(of, executor);
  for (int i = 0; i < pauses; ++i) co_await asio::post(executor, asio::use_awaitable);
  if (what < 0) throw std::runtime_error("the database is away");
  co_return what;
}

asio::awaitable<int> says_nothing(counted& of) {
  auto const executor = co_await asio::this_coro::executor;
  local const here(of, executor);
  asio::steady_timer never(executor, asio::steady_timer::time_point::max());
  co_await never.async_wait(asio::use_awaitable);
  co_return 0;
}

std::shared_ptr<question_type> waiting_for(asio::awaitable<int> work) {
  auto const held = std::make_shared<asio::awaitable<int>>(std::move(work));
  auto const made = std::make_shared<question_type>(
      [held] { return detail::reply<int>(std::in_place_index<1>, std::move(*held)); });
  BOOST_REQUIRE((made->look() == progress::waiting));
  return made;
}

// How one who waits was told.
struct told {
  int times = 0;
  error_code code;

  auto handler() {
    return [this](error_code said) {
      ++times;
      code = said;
    };
  }
};

struct fixture {
  void wait(std::shared_ptr<question_type> const& for_this, told& how) {
    detail::asking::start(for_this, context.get_executor(), how.handler());
  }

  asio::io_context context;
  counted count;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(questions, fixture)

BOOST_AUTO_TEST_CASE(are_worked_on_once_whoever_waits) {
  auto const asked = waiting_for(says(count, 7, 3));
  told one;
  told other;
  told late;
  wait(asked, one);
  wait(asked, other);
  BOOST_TEST(one.times == 0);   // never within the call
  context.run();
  BOOST_TEST(one.times == 1);
  BOOST_TEST(other.times == 1);
  BOOST_TEST(!one.code);
  BOOST_TEST(!other.code);
  BOOST_TEST(count.begun == 1);
  BOOST_TEST(asked->value() == 7);
  wait(asked, late);
  context.restart();
  context.run();
  BOOST_TEST(late.times == 1);
  BOOST_TEST(!late.code);
  BOOST_TEST(count.begun == 1);
}

BOOST_AUTO_TEST_CASE(that_are_answered_by_throwing_are_answered) {
  auto const asked = waiting_for(says(count, -1, 1));
  told one;
  wait(asked, one);
  context.run();
  BOOST_TEST(one.times == 1);
  BOOST_TEST(!one.code);
  BOOST_TEST((asked->how_far() == progress::answered));
  BOOST_CHECK_THROW(asked->value(), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(are_answered_by_whoever_is_first) {
  auto const asked = waiting_for(says(count, 7, 1));
  told one;
  wait(asked, one);
  BOOST_TEST(asked->give(1));
  BOOST_TEST(!asked->give(2));
  asked->abandon();
  context.run();   // the work ends, too, and is not heard
  BOOST_TEST(count.ended == 1);
  BOOST_TEST(one.times == 1);
  BOOST_TEST(!one.code);
  BOOST_TEST((asked->how_far() == progress::answered));
  BOOST_TEST(asked->value() == 1);
}

BOOST_AUTO_TEST_CASE(that_were_given_up_are_not_answered) {
  auto const asked = waiting_for(says(count, 7, 1));
  told one;
  asked->abandon();
  BOOST_TEST(!asked->give(1));
  int times = 0;
  asked->when_ended([&] { ++times; });
  BOOST_TEST(times == 1);
  wait(asked, one);
  context.run();
  BOOST_TEST(one.times == 1);   // the engine is asked again, and knows
  BOOST_TEST((asked->how_far() == progress::abandoned));
}

BOOST_AUTO_TEST_CASE(are_given_up_with_their_work) {
  auto const asked = waiting_for(says_nothing(count));
  int times = 0;
  asked->when_ended([&] { ++times; });
  {
    asio::io_context ends;
    asio::co_spawn(ends, work_on(asked), asio::detached);
    ends.poll();
    BOOST_TEST(count.begun == 1);
    BOOST_TEST(times == 0);
  }
  BOOST_TEST(count.ended == 1);
  BOOST_TEST(times == 1);
  BOOST_TEST((asked->how_far() == progress::abandoned));
}

// By the one who waits, by whoever knows of it, or by both at once: the coroutine is told, on its
// strand.
BOOST_AUTO_TEST_CASE(that_are_given_up_end_their_work_where_it_runs) {
  constexpr int rounds = 300;
  std::atomic<int> aborted = 0;
  std::atomic<int> asked_again = 0;
  asio::thread_pool pool(3);
  asio::any_io_executor const own = asio::make_strand(pool);   // of the one who waits
  for (int i = 0; i < rounds; ++i) {
    auto const asked = waiting_for(says_nothing(count));
    asio::cancellation_signal stop;
    std::latch done(2);
    auto const heard = [&](error_code code) {
      ++(code == asio::error::operation_aborted ? aborted : asked_again);
      done.count_down();
    };
    asio::post(own, [&] {
      detail::asking::start(asked, pool.get_executor(),
                            asio::bind_cancellation_slot(stop.slot(),
                                                         asio::bind_executor(own, heard)));
    });
    while (count.begun == i) std::this_thread::yield();
    std::atomic<bool> cancels = false;
    asio::post(own, [&, i] {
      cancels.store(true, std::memory_order_relaxed);
      if (i % 3 < 2) stop.emit(asio::cancellation_type::terminal);
      done.count_down();
    });
    while (!cancels.load(std::memory_order_relaxed)) continue;   // so that the two meet
    if (i % 3 > 0) asked->abandon();
    done.wait();
    while (count.ended == i) std::this_thread::yield();
    BOOST_TEST((asked->how_far() == progress::abandoned));
  }
  pool.join();
  BOOST_TEST(aborted >= rounds / 3);
  BOOST_TEST(asked_again >= rounds / 3);
  BOOST_TEST(aborted + asked_again == rounds);
  BOOST_TEST(count.begun == rounds);
  BOOST_TEST(count.ended == rounds);
  BOOST_TEST(count.elsewhere == 0);
}

BOOST_AUTO_TEST_CASE(end_once_in_whichever_threads_that_meets) {
  constexpr int rounds = 2'000;
  std::vector<std::shared_ptr<question_type>> all;
  for (int i = 0; i < rounds; ++i) all.push_back(waiting_for(says_nothing(count)));
  std::atomic<int> given = 0;
  std::atomic<int> times_told = 0;
  std::atomic<int> strange = 0;
  std::latch begin(5);
  auto const each = [&](auto what) {
    return std::jthread([&all, &begin, what] {
      begin.arrive_and_wait();
      for (auto const& asked : all) what(*asked);
    });
  };
  auto const give = [&](int what) {
    return [&given, what](question_type& asked) { given += asked.give(what) ? 1 : 0; };
  };
  {
    std::jthread const one = each(give(1));
    std::jthread const other = each(give(2));
    std::jthread const gives_up = each([](question_type& asked) { asked.abandon(); });
    std::jthread const waits = each([&](question_type& asked) {
      asked.when_ended([&] { ++times_told; });
    });
    std::jthread const reads = each([&](question_type& asked) {
      while (asked.how_far() == progress::waiting) std::this_thread::yield();
      if (asked.how_far() != progress::answered) return;
      int const first = asked.value();
      if (first != 1 && first != 2) ++strange;
    });
  }
  int answered = 0;
  for (auto const& asked : all) answered += asked->how_far() == progress::answered ? 1 : 0;
  BOOST_TEST(given == answered);
  BOOST_TEST(times_told == rounds);
  BOOST_TEST(strange == 0);
}

BOOST_AUTO_TEST_SUITE_END()

// The calling thread runs the work, or waits for another that does.
BOOST_FIXTURE_TEST_SUITE(questions_of_a_thread_that_blocks, fixture)

BOOST_AUTO_TEST_CASE(are_answered_there) {
  auto const asked = waiting_for(says(count, 7, 3));
  error_code failed;
  auto const by = detail::answer_here(asked, detail::give_up_at(), failed);
  BOOST_TEST((by == detail::interruption::none));
  BOOST_TEST(!failed);
  BOOST_TEST(asked->value() == 7);
  BOOST_TEST(count.ended == 1);
}

BOOST_AUTO_TEST_CASE(are_waited_for_where_another_thread_works) {
  auto const asked = waiting_for(says_nothing(count));
  BOOST_TEST(asked->claim());
  std::jthread const works([&] { asked->give(7); });
  error_code failed;
  auto const by = detail::answer_here(asked, detail::give_up_at(), failed);
  BOOST_TEST((by == detail::interruption::none));
  BOOST_TEST(!failed);
  BOOST_TEST(asked->value() == 7);
  BOOST_TEST(count.begun == 0);
}

BOOST_AUTO_TEST_CASE(end_at_the_deadline_with_their_work) {
  auto const asked = waiting_for(says_nothing(count));
  error_code failed;
  auto const by = detail::answer_here(
      asked, detail::moment_after(std::chrono::milliseconds(20)), failed);
  BOOST_TEST((by == detail::interruption::deadline));
  BOOST_TEST((asked->how_far() == progress::abandoned));
  BOOST_TEST(count.begun == 1);
  BOOST_TEST(count.ended == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::question_test
