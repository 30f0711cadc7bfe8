#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <utility>

namespace cotls::test {

namespace asio = boost::asio;

/** Runs a context until it has nothing left to do.
    @par Errors std::runtime_error when that takes longer than the limit: the test would hang */
inline void run_for(asio::io_context& context,
                    std::chrono::steady_clock::duration limit = std::chrono::seconds(20)) {
  context.restart();
  context.run_for(limit);
  if (!context.stopped()) throw std::runtime_error("the test did not end within its deadline");
}

/** Spawns a coroutine whose exception, should it end with one, leaves `run_for`. */
template <class T>
void spawn(asio::io_context& context, asio::awaitable<T> work) {
  asio::co_spawn(context, std::move(work), [](std::exception_ptr thrown, auto&&...) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

/** Runs one coroutine to its end. */
template <class T>
void run(asio::io_context& context, asio::awaitable<T> work) {
  spawn(context, std::move(work));
  run_for(context);
}

}  // namespace cotls::test
