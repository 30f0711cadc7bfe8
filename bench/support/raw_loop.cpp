#include "raw_loop.hpp"

#include <errno.h>
#include <sys/epoll.h>

#include <system_error>
#include <utility>

namespace bench {

// A coroutine that belongs to nobody.
struct raw_loop::started {
  struct promise_type {
    started get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
};

raw_loop::raw_loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_.get() < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
}

raw_loop::started raw_loop::begin_background(task<void> work) {
  try {
    co_await std::move(work);
  } catch (std::exception const&) {
    // How such a connection ends, after the measurement, is of no interest.
  }
}

raw_loop::started raw_loop::begin(task<void> work) {
  ++unfinished_;
  try {
    co_await std::move(work);
  } catch (...) {
    if (!failed_) failed_ = std::current_exception();
  }
  --unfinished_;
}

void raw_loop::spawn(task<void> work) { begin(std::move(work)); }

void raw_loop::spawn_background(task<void> work) { begin_background(std::move(work)); }

void raw_loop::run() {
  while (unfinished_ > 0 && !failed_) poll(-1);
  if (failed_) std::rethrow_exception(std::exchange(failed_, nullptr));
}

void raw_loop::settle() {
  while (poll(0)) {
  }
}

void raw_loop::add(watched& socket) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &socket;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.socket, &event) != 0) {
    throw std::system_error(errno, std::system_category(), "epoll_ctl");
  }
  socket.interest = EPOLLIN;
}

void raw_loop::wait_readable(watched& socket, operation& waiting) {
  socket.reading = &waiting;
  if (!(socket.interest & EPOLLIN)) set_interest(socket, socket.interest | EPOLLIN);
}

void raw_loop::wait_writable(watched& socket, operation& waiting) {
  socket.writing = &waiting;
  if (!(socket.interest & EPOLLOUT)) set_interest(socket, socket.interest | EPOLLOUT);
}

void raw_loop::set_interest(watched& socket, std::uint32_t interest) {
  epoll_event event{};
  event.events = interest;
  event.data.ptr = &socket;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, socket.socket, &event) != 0) {
    throw std::system_error(errno, std::system_category(), "epoll_ctl");
  }
  socket.interest = interest;
}

bool raw_loop::poll(int timeout) {
  std::array<epoll_event, 128> events;
  int const count = ::epoll_wait(epoll_.get(), events.data(), events.size(), timeout);
  if (count < 0 && errno != EINTR) {
    throw std::system_error(errno, std::system_category(), "epoll_wait");
  }
  for (int i = 0; i < count; ++i) dispatch(events[static_cast<std::size_t>(i)]);
  return count > 0;
}

void raw_loop::dispatch(epoll_event const& event) {
  auto& socket = *static_cast<watched*>(event.data.ptr);
  bool const gone = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
  bool const readable = gone || (event.events & EPOLLIN) != 0;
  bool const writable = gone || (event.events & EPOLLOUT) != 0;

  operation* const reading = readable ? std::exchange(socket.reading, nullptr) : nullptr;
  operation* const writing = writable ? std::exchange(socket.writing, nullptr) : nullptr;

  // What nobody waits for would be reported for ever.
  std::uint32_t interest = socket.interest;
  if (readable && !reading) interest &= ~std::uint32_t{EPOLLIN};
  if (writable) interest &= ~std::uint32_t{EPOLLOUT};
  if (interest != socket.interest) set_interest(socket, interest);

  // Whoever is resumed may end the connection.
  if (reading && reading->advance()) reading->caller.resume();
  if (writing && writing->advance()) writing->caller.resume();
}

}  // namespace bench
