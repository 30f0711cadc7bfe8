#pragma once

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cotls::test {

/** A copy of this process that does one thing and nothing else, until it is done or killed.

    It is killed and reaped with the object, and by the kernel when the thread that made it ends. To
    be made while the process has one thread; of what is ours, the copy uses only what it is given.
*/
class forked {
 public:
  template <class Work>
  explicit forked(Work work) {
    pid_t const parent = ::getpid();
    id_ = ::fork();
    if (id_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (id_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    int status = 1;
    try {
      if (::getppid() == parent) work();
      status = 0;
    } catch (...) {
      // Whoever waits for the copy's word finds that its end of the connection is gone.
    }
    ::_exit(status);
  }

  forked(forked const&) = delete;
  forked& operator=(forked const&) = delete;
  ~forked() { kill(); }

  /** Ends it with SIGKILL, and reaps it.
      @return True when it was killed, and had not ended before. */
  bool kill() {
    if (id_ < 0) return false;
    ::kill(id_, SIGKILL);
    int status = 0;
    pid_t const ended = std::exchange(id_, -1);
    while (::waitpid(ended, &status, 0) < 0 && errno == EINTR) continue;
    return WIFSIGNALED(status);
  }

 private:
  pid_t id_ = -1;
};

}  // namespace cotls::test
