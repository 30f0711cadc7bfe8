#include "system_calls.hpp"

#include "source_address.hpp"

#include <poll.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace {

using bench::system_call;

constinit std::array<std::atomic<std::int64_t>, bench::system_call_counts::kinds> made{};

template <class... Args>
long counted(system_call kind, long number, Args... args) noexcept {
  auto& count = made[static_cast<std::size_t>(kind)];
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return ::syscall(number, args...);
}

template <class... Args>
int counted_int(system_call kind, long number, Args... args) noexcept {
  return static_cast<int>(counted(kind, number, args...));
}

}  // namespace

extern "C" {

ssize_t read(int fd, void* data, size_t size) {
  return counted(system_call::receive, SYS_read, fd, data, size);
}
ssize_t readv(int fd, iovec const* parts, int count) {
  return counted(system_call::receive, SYS_readv, fd, parts, count);
}
ssize_t recvfrom(int fd, void* data, size_t size, int flags, sockaddr* from, socklen_t* length) {
  return counted(system_call::receive, SYS_recvfrom, fd, data, size, flags, from, length);
}
ssize_t recv(int fd, void* data, size_t size, int flags) {
  return recvfrom(fd, data, size, flags, nullptr, nullptr);
}
ssize_t recvmsg(int fd, msghdr* message, int flags) {
  return counted(system_call::receive, SYS_recvmsg, fd, message, flags);
}

ssize_t write(int fd, void const* data, size_t size) {
  return counted(system_call::send, SYS_write, fd, data, size);
}
ssize_t writev(int fd, iovec const* parts, int count) {
  return counted(system_call::send, SYS_writev, fd, parts, count);
}
ssize_t sendto(int fd, void const* data, size_t size, int flags, sockaddr const* to,
               socklen_t length) {
  return counted(system_call::send, SYS_sendto, fd, data, size, flags, to, length);
}
ssize_t send(int fd, void const* data, size_t size, int flags) {
  return sendto(fd, data, size, flags, nullptr, 0);
}
ssize_t sendmsg(int fd, msghdr const* message, int flags) {
  return counted(system_call::send, SYS_sendmsg, fd, message, flags);
}

int epoll_wait(int epoll, epoll_event* events, int count, int timeout) {
  return counted_int(system_call::epoll_wait, SYS_epoll_pwait, epoll, events, count, timeout,
                     nullptr, size_t{0});
}
int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  return counted_int(system_call::epoll_ctl, SYS_epoll_ctl, epoll, operation, fd, event);
}

int poll(pollfd* descriptors, nfds_t count, int timeout) {
  timespec const limit{timeout / 1000, timeout % 1000 * 1'000'000L};
  return counted_int(system_call::other, SYS_ppoll, descriptors, count,
                     timeout < 0 ? nullptr : &limit, nullptr, size_t{0});
}
int accept4(int fd, sockaddr* peer, socklen_t* length, int flags) {
  return counted_int(system_call::other, SYS_accept4, fd, peer, length, flags);
}
int accept(int fd, sockaddr* peer, socklen_t* length) { return accept4(fd, peer, length, 0); }
int connect(int fd, sockaddr const* to, socklen_t length) {
  bench::set_source_address(fd, to);
  return counted_int(system_call::other, SYS_connect, fd, to, length);
}
int shutdown(int fd, int how) noexcept {
  return counted_int(system_call::other, SYS_shutdown, fd, how);
}
int close(int fd) { return counted_int(system_call::other, SYS_close, fd); }
int getsockname(int fd, sockaddr* name, socklen_t* length) noexcept {
  return counted_int(system_call::other, SYS_getsockname, fd, name, length);
}
int getpeername(int fd, sockaddr* name, socklen_t* length) noexcept {
  return counted_int(system_call::other, SYS_getpeername, fd, name, length);
}
int getsockopt(int fd, int level, int name, void* value, socklen_t* length) noexcept {
  return counted_int(system_call::other, SYS_getsockopt, fd, level, name, value, length);
}
int setsockopt(int fd, int level, int name, void const* value, socklen_t length) noexcept {
  return counted_int(system_call::other, SYS_setsockopt, fd, level, name, value, length);
}
int timerfd_settime(int fd, int flags, itimerspec const* when, itimerspec* before) noexcept {
  return counted_int(system_call::other, SYS_timerfd_settime, fd, flags, when, before);
}

int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list rest;
  va_start(rest, request);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  return counted_int(system_call::other, SYS_ioctl, fd, request, argument);
}

}  // extern "C"

namespace bench {

system_call_counts system_calls_now() noexcept {
  system_call_counts counts;
  for (std::size_t kind = 0; kind < counts.kinds; ++kind) {
    counts.by_kind[kind] = made[kind].load(std::memory_order_relaxed);
  }
  return counts;
}

}  // namespace bench
