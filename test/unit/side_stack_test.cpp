// Calls that are left in their midst, and gone on with by another thread.

#include "system/side_stack.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace cotls::test::side_stack_test {
namespace {

using detail::side_stack;

// Counts, and pauses at each number.
struct counting {
  side_stack stack;
  int until;
  int at = 0;
  bool was_caught = false;

  explicit counting(int numbers) : until(numbers) {}

  bool go_on() {
    return stack.run([](void* self) { static_cast<counting*>(self)->count(); }, this);
  }

  void count() {
    std::array<volatile char, 64 * 1024> room;   // of the stack's
    room.front() = 1;
    room.back() = 1;
    std::string const kept(100, 'x');
    for (at = 1; at <= until; ++at) {
      stack.pause();
      try {
        throw std::runtime_error(kept);
      } catch (std::runtime_error const& thrown) {
        was_caught = thrown.what() == kept;
      }
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(side_stacks)

BOOST_AUTO_TEST_CASE(a_call_goes_on_where_it_has_paused) {
  counting one(3);
  BOOST_TEST(!one.stack.paused());
  for (int number = 1; number <= 3; ++number) {
    BOOST_TEST(!one.go_on());
    BOOST_TEST(one.stack.paused());
    BOOST_TEST(one.at == number);
  }
  BOOST_TEST(one.go_on());
  BOOST_TEST(!one.stack.paused());
  BOOST_TEST(one.was_caught);
  BOOST_TEST(!one.go_on());   // another call, from its beginning
  BOOST_TEST(one.at == 1);
  while (!one.go_on()) {
  }
}

BOOST_AUTO_TEST_CASE(a_call_that_does_not_pause_returns_at_once) {
  counting none(0);
  BOOST_TEST(none.go_on());
  BOOST_TEST(none.go_on());
}

BOOST_AUTO_TEST_CASE(another_thread_goes_on_with_it) {
  counting one(50);
  for (int number = 1; number <= 50; ++number) {
    std::jthread([&] { one.go_on(); }).join();
    BOOST_REQUIRE(one.at == number);
  }
  bool returned = false;
  std::jthread([&] { returned = one.go_on(); }).join();
  BOOST_TEST(returned);
  BOOST_TEST(one.was_caught);
}

BOOST_AUTO_TEST_CASE(many_are_paused_at_once_and_one_may_run_within_another) {
  std::vector<std::unique_ptr<counting>> all;
  for (int i = 0; i < 100; ++i) all.push_back(std::make_unique<counting>(2));
  for (int round = 0; round < 2; ++round) {
    for (auto const& each : all) BOOST_REQUIRE(!each->go_on());
  }
  side_stack around;
  around.run(
      [](void* of) {
        for (auto const& each : *static_cast<decltype(all)*>(of)) each->go_on();
      },
      &all);
  for (auto const& each : all) BOOST_TEST(!each->stack.paused());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::side_stack_test
