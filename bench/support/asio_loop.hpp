#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <exception>
#include <utility>

namespace bench {

namespace asio = boost::asio;

/** An `io_context` of one thread, and the coroutines on it. */
class asio_loop {
 public:
  asio::io_context& context() noexcept { return io_; }

  /** Begins a coroutine, for whose end `run` waits; on its stream's executor when there is one. */
  void spawn(asio::awaitable<void> work) { begin(io_.get_executor(), std::move(work)); }
  template <class Stream>
  void spawn(Stream& on, asio::awaitable<void> work) {
    begin(on.get_executor(), std::move(work));
  }

  /** The same for a coroutine whose end nobody waits for; it must not throw. */
  template <class Stream>
  void spawn_background(Stream& on, asio::awaitable<void> work) {
    asio::co_spawn(on.get_executor(), std::move(work), asio::detached);
  }

  /** Runs until the spawned coroutines have ended. @par Errors What they threw */
  void run() {
    if (unfinished_ > 0) io_.run();
    io_.restart();
    if (failed_) std::rethrow_exception(std::exchange(failed_, nullptr));
  }

  /** Lets everything run that need not wait. */
  void settle() {
    while (io_.poll() > 0) {
    }
    io_.restart();
  }

 private:
  void begin(asio::any_io_executor const& on, asio::awaitable<void> work) {
    ++unfinished_;
    asio::co_spawn(on, std::move(work), [this](std::exception_ptr thrown) {
      --unfinished_;
      if (thrown && !failed_) failed_ = thrown;
      if (thrown || unfinished_ == 0) io_.stop();
    });
  }

  asio::io_context io_{1};
  std::size_t unfinished_ = 0;
  std::exception_ptr failed_;
};

}  // namespace bench
