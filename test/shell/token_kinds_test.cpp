// Every operation with every kind of completion token.

#include "print.hpp"
#include "token_operations.hpp"

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <future>
#include <memory_resource>
#include <tuple>
#include <type_traits>
#include <utility>

namespace cotls::test::token_kinds_test {

namespace {

// Runs until the operation is done and the peer has seen it.
template <class Operation>
void run_until(Operation& operation, bool const& done) {
  auto const limit = std::chrono::steady_clock::now() + 20s;
  operation.context.restart();
  while (!(done && operation.happened()) && operation.context.run_one_until(limit) > 0) {
  }
  BOOST_TEST(done);
  BOOST_TEST(operation.happened());
}

void rethrow(std::exception_ptr thrown) {
  if (thrown) std::rethrow_exception(thrown);
}

// The memory of one handler, of which it must not outlive the handler's completion.
class counted_arena : public std::pmr::memory_resource {
 public:
  std::size_t allocations = 0;
  std::size_t alive = 0;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    ++allocations;
    ++alive;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
    --alive;
    std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
  }
  bool do_is_equal(std::pmr::memory_resource const& other) const noexcept override {
    return this == &other;
  }
};

// On a coroutine's own kind of executor.
template <class Executor, class Operation>
void run_on(Operation& operation, Executor const& executor) {
  bool done = false;
  operation.let_peer_act();
  auto work = [&]() -> asio::awaitable<void, Executor> {
    [[maybe_unused]] auto const kept = co_await operation.start(
        asio::as_tuple(asio::use_awaitable_t<Executor>()));
    BOOST_TEST(!std::get<0>(kept));
    done = true;
    co_await asio::post(asio::deferred);
  };
  asio::co_spawn(executor, work(), rethrow);
  run_until(operation, done);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(token_kinds)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_callback_is_called_later, Operation, all_operations) {
  Operation operation;
  typename outcome_of<Operation>::type ended;
  operation.let_peer_act();
  operation.context.restart();
  operation.context.poll();   // so that there may be nothing left to wait for
  operation.start(ended.handler());
  BOOST_TEST(!ended.done);
  run_until(operation, ended.done);
  BOOST_TEST(!ended.code);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_keeps_its_executor_and_its_allocator, Operation,
                              operations) {
  counted_arena memory;
  {
    Operation operation;
    auto const strand = asio::make_strand(operation.context);
    typename outcome_of<Operation>::type ended;
    bool there = false;
    auto handler = [&, inner = ended.handler()](auto... values) mutable {
      there = strand.running_in_this_thread();
      BOOST_TEST(memory.alive == 0u);
      inner(std::move(values)...);
    };
    operation.let_peer_act();
    operation.start(asio::bind_executor(
        strand, asio::bind_allocator(std::pmr::polymorphic_allocator<std::byte>(&memory),
                                     std::move(handler))));
    run_until(operation, ended.done);
    BOOST_TEST(there);
    BOOST_TEST(!ended.code);
  }
  // Connecting is a coroutine, whose frames and whose end Asio allocates in its own way.
  BOOST_TEST((memory.allocations > 0u || std::is_same_v<Operation, connecting>));
  BOOST_TEST(memory.alive == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancellation_slot_ends_what_waits, Operation, all_operations) {
  if constexpr (Operation::waits) {
    Operation operation;
    typename outcome_of<Operation>::type ended;
    asio::cancellation_signal cancel;
    operation.start(asio::bind_cancellation_slot(cancel.slot(), ended.handler()));
    operation.context.restart();
    operation.context.poll();
    BOOST_TEST(!ended.done);
    cancel.emit(asio::cancellation_type::total);
    operation.context.restart();
    while (!ended.done && operation.context.run_one_for(20s) > 0) {
    }
    BOOST_TEST(ended.code == asio::error::operation_aborted);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_future_is_not_ready_at_once, Operation, operations) {
  Operation operation;
  operation.let_peer_act();
  operation.context.restart();
  operation.context.poll();
  auto future = operation.start(asio::use_future);
  BOOST_TEST((future.wait_for(0s) == std::future_status::timeout));
  // It is made ready on a thread of the system's executor, which wakes nobody who runs ours.
  auto const limit = std::chrono::steady_clock::now() + 20s;
  operation.context.restart();
  while (future.wait_for(0s) == std::future_status::timeout &&
         std::chrono::steady_clock::now() < limit) {
    operation.context.run_one_for(1ms);
  }
  BOOST_TEST_REQUIRE((future.wait_for(0s) == std::future_status::ready));
  if constexpr (std::is_void_v<decltype(future.get())>) {
    future.get();
    run_until(operation, true);
  } else {
    [[maybe_unused]] auto const kept = future.get();
    run_until(operation, true);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_detached_operation_happens, Operation, operations) {
  Operation operation;
  operation.let_peer_act();
  operation.start(asio::detached);
  run_until(operation, true);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_deferred_operation_happens_when_it_is_launched, Operation,
                              operations) {
  Operation operation;
  typename outcome_of<Operation>::type ended;
  auto later = operation.start(asio::deferred);
  operation.let_peer_act();
  operation.context.restart();
  operation.context.poll();
  BOOST_TEST(!operation.happened());
  std::move(later)(ended.handler());
  BOOST_TEST(!ended.done);
  run_until(operation, ended.done);
  BOOST_TEST(!ended.code);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_awaitable_gives_the_value_and_its_adapters_the_code, Operation,
                              all_operations) {
  for (int kind = 0; kind < 4; ++kind) {
    Operation operation;
    bool done = false;
    auto work = [&]() -> asio::awaitable<void> {
      typename outcome_of<Operation>::type ended;
      if (kind == 0) {
        auto const result = co_await operation.start(asio::as_tuple(asio::use_awaitable));
        BOOST_TEST(!std::get<0>(result));
        done = true;
        while (!operation.happened()) co_await asio::post(asio::deferred);
      } else if (kind == 1) {
        auto const result = co_await operation.start(asio::as_tuple(asio::deferred));
        BOOST_TEST(!std::get<0>(result));
        done = true;
        while (!operation.happened()) co_await asio::post(asio::deferred);
      } else if constexpr (std::tuple_size_v<decltype(ended.values)> == 0) {
        ended.code = asio::error::fault;
        if (kind == 2) {
          co_await operation.start(asio::use_awaitable);
        } else {
          co_await operation.start(asio::redirect_error(asio::use_awaitable, ended.code));
          BOOST_TEST(!ended.code);
        }
        done = true;
      } else {
        ended.code = asio::error::fault;
        if (kind == 2) {
          std::get<0>(ended.values) = co_await operation.start(asio::use_awaitable);
        } else {
          std::get<0>(ended.values) =
              co_await operation.start(asio::redirect_error(asio::use_awaitable, ended.code));
          BOOST_TEST(!ended.code);
        }
        done = true;
        while (!operation.happened()) co_await asio::post(asio::deferred);
      }
    };
    operation.let_peer_act();
    asio::co_spawn(operation.context, work(), rethrow);
    run_until(operation, done);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fiber_is_given_the_value, Operation, operations) {
  Operation operation;
  bool done = false;
  operation.let_peer_act();
  auto work = [&](asio::yield_context yield) {
    error_code code = asio::error::fault;
    if constexpr (std::is_void_v<decltype(operation.start(yield[code]))>) {
      operation.start(yield[code]);
      done = true;
    } else {
      [[maybe_unused]] auto const kept = operation.start(yield[code]);
      done = true;
      while (!operation.happened()) asio::post(yield);
    }
    BOOST_TEST(!code);
  };
  asio::spawn(operation.context, work, rethrow);
  run_until(operation, done);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_parallel_group_is_won_by_whichever_is_first, Operation,
                              operations) {
  Operation operation;
  typename outcome_of<Operation>::type ended;
  asio::steady_timer timer(operation.context, 1h);
  operation.let_peer_act();
  asio::experimental::make_parallel_group(operation.start(asio::deferred),
                                          timer.async_wait(asio::deferred))
      .async_wait(asio::experimental::wait_for_one(),
                  [&](std::array<std::size_t, 2> order, error_code code, auto&&... rest) {
                    BOOST_TEST(order[0] == 0u);
                    // The last of the rest is the timer's.
                    ended.code = code;
                    if constexpr (std::tuple_size_v<decltype(ended.values)> > 0) {
                      auto all = std::forward_as_tuple(std::move(rest)...);
                      std::get<0>(ended.values) = std::move(std::get<0>(all));
                    }
                    ended.done = true;
                  });
  run_until(operation, ended.done);
  BOOST_TEST(!ended.code);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(awaitables_are_joined_by_operators, Operation, operations) {
  using namespace asio::experimental::awaitable_operators;
  for (bool const both : {false, true}) {
    Operation operation;
    asio::steady_timer timer(operation.context, both ? std::chrono::hours(0) : 1h);
    bool done = false;
    operation.let_peer_act();
    auto work = [&]() -> asio::awaitable<void> {
      using value = decltype(operation.start(asio::use_awaitable))::value_type;
      if (!both) {
        auto const first = co_await (operation.start(asio::use_awaitable) ||
                                     timer.async_wait(asio::use_awaitable));
        BOOST_TEST(first.index() == 0u);
        done = true;
        while (!operation.happened()) co_await asio::post(asio::deferred);
      } else if constexpr (std::is_void_v<value>) {
        co_await (operation.start(asio::use_awaitable) && timer.async_wait(asio::use_awaitable));
        done = true;
      } else {
        [[maybe_unused]] value const kept = co_await (
            operation.start(asio::use_awaitable) && timer.async_wait(asio::use_awaitable));
        done = true;
        while (!operation.happened()) co_await asio::post(asio::deferred);
      }
    };
    asio::co_spawn(operation.context, work(), rethrow);
    run_until(operation, done);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_coroutine_has_any_kind_of_executor, Operation, operations) {
  {
    Operation operation;
    run_on(operation, operation.context.get_executor());
  }
  Operation operation;
  run_on(operation, asio::make_strand(operation.context));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cotls::test::token_kinds_test
