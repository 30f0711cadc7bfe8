#pragma once

#include "process.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <exception>

namespace bench {

namespace asio = boost::asio;

/** Runs a coroutine to its end, on a thread and an `io_context` of one thread.
    @par Errors What the coroutine threw */
template <class Executor>
void run_until_done(asio::io_context& io, Executor const& executor, asio::awaitable<void> work) {
  std::exception_ptr failed;
  asio::co_spawn(executor, std::move(work), [&](std::exception_ptr thrown) {
    failed = thrown;
    io.stop();
  });
  io.run();
  io.restart();
  if (failed) std::rethrow_exception(failed);
}

inline void run_until_done(asio::io_context& io, asio::awaitable<void> work) {
  run_until_done(io, io.get_executor(), std::move(work));
}

/** Lets everything run that need not wait. */
inline void settle(asio::io_context& io) {
  while (io.poll() > 0) {
  }
  io.restart();
}

/** Runs until something arrives on the line, then until everything waits. */
inline void run_until_told(asio::io_context& io, line& control) {
  asio::posix::stream_descriptor watched(io, control.descriptor());
  watched.async_wait(watched.wait_read, [&](boost::system::error_code) { io.stop(); });
  io.run();
  io.restart();
  watched.release();
  settle(io);
}

}  // namespace bench
