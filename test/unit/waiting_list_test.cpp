// Handlers that wait in a list, and what the lists of one context cost each other.

#include <cotls/detail/support/waiting_list.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>
#include <vector>

#include <time.h>

namespace cotls::test::waiting_list_test {

namespace asio = boost::asio;

namespace {

using list = detail::waiting_list<int>;

double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Destroys so many lists of one context, the oldest first; returns what each has taken.
double time_of_one_end(std::size_t count) {
  asio::io_context context;
  std::vector<std::unique_ptr<list>> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(std::make_unique<list>(context.get_executor()));
  }
  double const begin = processor_seconds();
  for (auto& each : all) each.reset();
  return (processor_seconds() - begin) / static_cast<double>(count);
}

// Counts in how many copies it lives.
struct owner {
  std::shared_ptr<int> counted;
  void operator()(int) const {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(waiting_lists)

BOOST_AUTO_TEST_CASE(the_end_of_one_takes_no_longer_where_there_are_many) {
  double few = 1;
  double many = 1;
  for (int i = 0; i < 3; ++i) {
    few = std::min(few, time_of_one_end(1'000));
    many = std::min(many, time_of_one_end(40'000));
  }
  // A list that is looked for takes 40 times as long; caches account for two or three times.
  BOOST_TEST(many < 10 * few);
}

BOOST_AUTO_TEST_CASE(handlers_are_completed_in_their_order_and_each_once) {
  asio::io_context context;
  list waiting(context.get_executor());
  std::vector<int> seen;
  std::vector<list::ticket> tickets;
  for (int i = 0; i < 3; ++i) {
    tickets.push_back(waiting.add([&](int value) { seen.push_back(value); },
                                  context.get_executor()));
  }
  waiting.complete(tickets[1], 1);
  waiting.complete(tickets[1], 9);   // again
  waiting.complete_first(0);
  waiting.complete_first(2);
  BOOST_TEST(waiting.empty());
  BOOST_TEST(seen.empty());   // never inside the call
  context.run();
  BOOST_TEST((seen == std::vector{1, 0, 2}));
}

BOOST_AUTO_TEST_CASE(handlers_end_with_their_context_whatever_lists_went_before) {
  auto const counted = std::make_shared<int>();
  {
    asio::io_context context;
    std::vector<list*> all;
    for (int i = 0; i < 6; ++i) {
      // Owned by its own handler: nothing but the context ends it.
      all.push_back(new list(context.get_executor()));
      all.back()->add([kept = owner{counted}, of = std::unique_ptr<list>(all.back())](int) {},
                      context.get_executor());
    }
    for (std::size_t const each : {5u, 0u, 2u}) all[each]->complete_first(0);
    context.poll();   // those that wait are work
    BOOST_TEST(counted.use_count() == 4);
  }
  BOOST_TEST(counted.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_handler_that_owns_another_list_takes_it_along) {
  auto const counted = std::make_shared<int>();
  {
    asio::io_context context;
    auto* const outer = new list(context.get_executor());
    auto inner = std::make_shared<list>(context.get_executor());
    inner->add(owner{counted}, context.get_executor());
    outer->add([inner, of = std::unique_ptr<list>(outer)](int) {}, context.get_executor());
  }
  BOOST_TEST(counted.use_count() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::waiting_list_test
