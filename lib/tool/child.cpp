#include "child.hpp"

#include <cotls/detail/system/owned_descriptor.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

extern char** environ;

namespace cotls::tool {

namespace asio = boost::asio;

namespace {

void check(int failed) {
  if (failed == 0) return;
  throw boost::system::system_error(failed, boost::system::system_category(),
                                    "starting a command failed");
}

struct pipe_ends {
  pipe_ends() {
    std::array<int, 2> both{};
    check(::pipe2(both.data(), O_CLOEXEC) == 0 ? 0 : errno);
    reading = detail::owned_descriptor(both[0]);
    writing = detail::owned_descriptor(both[1]);
  }
  detail::owned_descriptor reading;
  detail::owned_descriptor writing;
};

class spawn_actions {
 public:
  spawn_actions() { check(::posix_spawn_file_actions_init(&actions_)); }
  ~spawn_actions() { ::posix_spawn_file_actions_destroy(&actions_); }
  spawn_actions(spawn_actions const&) = delete;
  spawn_actions& operator=(spawn_actions const&) = delete;

  posix_spawn_file_actions_t* get() noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class spawn_attributes {
 public:
  spawn_attributes() { check(::posix_spawnattr_init(&attributes_)); }
  ~spawn_attributes() { ::posix_spawnattr_destroy(&attributes_); }
  spawn_attributes(spawn_attributes const&) = delete;
  spawn_attributes& operator=(spawn_attributes const&) = delete;

  posix_spawnattr_t* get() noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

// Asio's sockets are inherited unless they are closed: a client's connection would live as long as
// some other client's command does.
void set_descriptors(spawn_actions& actions, int input, int output) {
  check(::posix_spawn_file_actions_adddup2(actions.get(), input, STDIN_FILENO));
  check(::posix_spawn_file_actions_adddup2(actions.get(), output, STDOUT_FILENO));
  check(::posix_spawn_file_actions_addclosefrom_np(actions.get(), STDERR_FILENO + 1));
}

// A group of its own, and signals as a command expects them: we ignore SIGPIPE, it must not.
void set_signals(spawn_attributes& attributes) {
  sigset_t defaults;
  sigset_t blocked;
  ::sigfillset(&defaults);
  ::sigemptyset(&blocked);
  check(::posix_spawnattr_setsigdefault(attributes.get(), &defaults));
  check(::posix_spawnattr_setsigmask(attributes.get(), &blocked));
  check(::posix_spawnattr_setpgroup(attributes.get(), 0));
  check(::posix_spawnattr_setflags(
      attributes.get(), POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
}

}  // namespace

nursery::nursery(asio::io_context& context) : signals_(context, SIGCHLD) { wait_for_signal(); }

void nursery::wait_for_signal() {
  signals_.async_wait([this](boost::system::error_code const& code, int) {
    if (code) return;
    reap();
    wait_for_signal();
  });
}

// One signal may stand for several children.
void nursery::reap() {
  for (child* each : children_) each->reap();
}

child::child(asio::any_io_executor executor, nursery& in, std::string const& command)
    : nursery_(in),
      input_(executor),
      output_(executor),
      ended_(executor, asio::steady_timer::time_point::max()) {
  start(command);
  nursery_.children_.insert(this);
}

child::~child() {
  nursery_.children_.erase(this);
  if (status_) return;
  signal(SIGKILL);
  int ignored = 0;
  while (::waitpid(id_, &ignored, 0) < 0 && errno == EINTR) continue;
}

void child::start(std::string const& command) {
  pipe_ends to_it;
  pipe_ends from_it;
  spawn_actions actions;
  spawn_attributes attributes;
  set_descriptors(actions, to_it.reading.get(), from_it.writing.get());
  set_signals(attributes);
  std::string shell = "sh";
  std::string option = "-c";
  std::string words = command;
  std::array<char*, 4> const arguments{shell.data(), option.data(), words.data(), nullptr};
  input_.assign(to_it.writing.release());
  output_.assign(from_it.reading.release());
  check(::posix_spawn(&id_, "/bin/sh", actions.get(), attributes.get(), arguments.data(),
                      environ));
}

void child::signal(int which) noexcept {
  if (!status_) ::kill(-id_, which);
}

void child::reap() noexcept {
  int status = 0;
  if (status_ || ::waitpid(id_, &status, WNOHANG) != id_) return;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ended_.cancel();
}

asio::awaitable<std::optional<int>> child::wait(std::chrono::steady_clock::duration limit) {
  if (!status_) {
    if (limit == limit.max()) ended_.expires_at(asio::steady_timer::time_point::max());
    else ended_.expires_after(limit);
    co_await ended_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return status_;
}

}  // namespace cotls::tool
