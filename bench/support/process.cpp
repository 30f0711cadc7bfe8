#include "process.hpp"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>

namespace bench {

namespace {

constexpr unsigned time_limit = 300;  // seconds

[[noreturn]] void throw_errno(char const* what) {
  throw std::system_error(errno, std::system_category(), what);
}

std::pair<line, line> make_line() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) throw_errno("socketpair");
  return {line(ends[0]), line(ends[1])};
}

[[noreturn]] void run(std::function<void(line&)> const& body, line& control) {
  int status = 1;
  try {
    body(control);
    status = 0;
  } catch (std::exception const& failed) {
    fprintf(stderr, "%s\n", failed.what());
  }
  fflush(nullptr);
  _exit(status);
}

}  // namespace

line::~line() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void line::send_bytes(void const* data, std::size_t size) {
  // Fits into the socket's buffer: values are small.
  if (::send(descriptor_, data, size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) {
    throw std::runtime_error("the other process has ended");
  }
}

void line::receive_bytes(void* data, std::size_t size) {
  if (::recv(descriptor_, data, size, MSG_WAITALL) != static_cast<ssize_t>(size)) {
    throw std::runtime_error("the other process has ended");
  }
}

process::process(std::function<void(line&)> const& body) : process(body, make_line()) {}

process::process(std::function<void(line&)> const& body, std::pair<line, line> ends)
    : control_(std::move(ends.first)) {
  fflush(nullptr);
  pid_t const parent = getpid();
  id_ = fork();
  if (id_ < 0) throw_errno("fork");
  if (id_ > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  alarm(time_limit);
  ::close(control_.descriptor());
  run(body, ends.second);
}

process::~process() {
  if (id_ <= 0) return;
  kill(id_, SIGKILL);
  waitpid(id_, nullptr, 0);
}

void process::join() {
  int status = 0;
  while (waitpid(id_, &status, 0) < 0) {
    if (errno != EINTR) throw_errno("waitpid");
  }
  id_ = 0;
  if (WIFSIGNALED(status)) {
    throw std::runtime_error("a process of the benchmark was ended by signal " +
                             std::to_string(WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) != 0) throw std::runtime_error("a process of the benchmark has failed");
}

}  // namespace bench
