#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <optional>
#include <set>
#include <string>

#include <sys/types.h>

namespace cotls::tool {

class child;

/** Learns of the children that end, and reaps them. One in a process; outlives its children. */
class nursery {
 public:
  explicit nursery(boost::asio::io_context& context);

 private:
  friend class child;

  void wait_for_signal();
  void reap();

  boost::asio::signal_set signals_;
  std::set<child*> children_;
};

/** A command of the shell whose standard input and output are in our hands. It inherits no other
    descriptor than standard error, and leads a process group of its own.

    Destroyed before it has ended, it is killed, and its group with it.
*/
class child {
 public:
  /** @par Errors The system's */
  child(boost::asio::any_io_executor executor, nursery& in, std::string const& command);
  ~child();
  child(child const&) = delete;
  child& operator=(child const&) = delete;

  boost::asio::posix::stream_descriptor& input() noexcept { return input_; }
  boost::asio::posix::stream_descriptor& output() noexcept { return output_; }

  /** Sends a signal to the whole group, if the command has not ended. */
  void signal(int which) noexcept;

  /** Waits until the command has ended.
      @return What it exited with; 128 and its number for a signal; nothing at the limit. */
  boost::asio::awaitable<std::optional<int>> wait(std::chrono::steady_clock::duration limit);

 private:
  friend class nursery;

  void start(std::string const& command);
  void reap() noexcept;

  nursery& nursery_;
  boost::asio::posix::stream_descriptor input_;
  boost::asio::posix::stream_descriptor output_;
  boost::asio::steady_timer ended_;
  pid_t id_ = -1;
  std::optional<int> status_;
};

}  // namespace cotls::tool
