#pragma once

#include "task.hpp"
#include "tcp_socket.hpp"

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>

struct epoll_event;

namespace bench {

/** An epoll loop by hand, for implementations without Asio. Each socket is registered once,
    level-triggered; who waits is found through the event itself. Tasks that never wait, those of
    blocking sockets, have run when `spawn` returns. */
class raw_loop {
 public:
  /** An operation that waits for its socket. */
  class operation {
   public:
    /** Goes on with it. @return True when it is done */
    virtual bool advance() = 0;

    std::coroutine_handle<> caller;

   protected:
    ~operation() = default;
  };

  /** A socket that is watched, and who waits for it. */
  struct watched {
    int socket = -1;
    std::uint32_t interest = 0;
    operation* reading = nullptr;
    operation* writing = nullptr;
  };

  raw_loop();

  /** Begins a task, for whose end `run` waits, if not at once then when it can go on. The first
      argument is the stream it is about, which matters to loops with strands. */
  void spawn(task<void> work);
  template <class Stream>
  void spawn(Stream const&, task<void> work) {
    spawn(std::move(work));
  }

  /** The same for a task whose end nobody waits for. */
  void spawn_background(task<void> work);
  template <class Stream>
  void spawn_background(Stream const&, task<void> work) {
    spawn_background(std::move(work));
  }

  /** Runs until the spawned tasks have ended. @par Errors What they threw */
  void run();

  /** Lets everything run that need not wait. */
  void settle();

  void add(watched& socket);
  void wait_readable(watched& socket, operation& waiting);
  void wait_writable(watched& socket, operation& waiting);

 private:
  struct started;
  started begin(task<void> work);
  started begin_background(task<void> work);
  void set_interest(watched& socket, std::uint32_t interest);
  void dispatch(epoll_event const& event);
  bool poll(int timeout);

  descriptor epoll_;
  std::size_t unfinished_ = 0;
  std::exception_ptr failed_;
};

}  // namespace bench
