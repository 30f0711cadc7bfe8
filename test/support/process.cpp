// Input goes through a socket pair, so that a program which no longer reads costs an error and not
// a SIGPIPE; outputs come through pipes, as most programs expect.

#include "process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cotls::test {

namespace {

using clock = std::chrono::steady_clock;

void check(int result, char const* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
}

void close_once(int& descriptor) noexcept {
  if (descriptor >= 0) ::close(std::exchange(descriptor, -1));
}

// Two ends, ours first; given to nobody whom they are not meant for.
struct ends {
  int ours = -1;
  int theirs = -1;

  static ends of_pipe() {
    std::array<int, 2> both{};
    check(::pipe2(both.data(), O_CLOEXEC), "pipe2");
    ::fcntl(both[0], F_SETFL, O_NONBLOCK);
    return {both[0], both[1]};
  }

  static ends of_socket() {
    std::array<int, 2> both{};
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both.data()), "socketpair");
    ::fcntl(both[0], F_SETFL, O_NONBLOCK);
    return {both[0], both[1]};
  }
};

// Between fork and exec: nothing that allocates.
[[noreturn]] void become(char* const* arguments, char const* directory, ends const& input,
                         ends const& output, ends const& errors, pid_t parent) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  bool const ready = ::getppid() == parent && ::dup2(input.theirs, STDIN_FILENO) >= 0 &&
                     ::dup2(output.theirs, STDOUT_FILENO) >= 0 &&
                     ::dup2(errors.theirs, STDERR_FILENO) >= 0 &&
                     (*directory == '\0' || ::chdir(directory) == 0);
  if (ready) {
    std::signal(SIGPIPE, SIG_DFL);
    ::execvp(arguments[0], arguments);
  }
  for (char const* word : {"cannot run ", static_cast<char const*>(arguments[0]), "\n"}) {
    if (::write(STDERR_FILENO, word, std::strlen(word)) < 0) break;
  }
  ::_exit(127);
}

// The rest of the first line that begins so and is whole.
std::optional<std::string> rest_of_line(std::string const& text, std::string_view beginning) {
  std::string const whole = '\n' + text;
  auto const start = whole.find('\n' + std::string(beginning));
  if (start == std::string::npos) return std::nullopt;
  auto const rest = start + 1 + beginning.size();
  auto const end = whole.find('\n', rest);
  if (end == std::string::npos) return std::nullopt;
  return whole.substr(rest, end - rest);
}

int milliseconds_until(clock::time_point until) {
  auto const left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, std::numeric_limits<int>::max()));
}

}  // namespace

process::process(std::vector<std::string> command, std::filesystem::path const& directory)
    : command_(std::move(command)) {
  std::vector<char*> arguments;
  for (auto& one : command_) arguments.push_back(one.data());
  arguments.push_back(nullptr);

  ends input = ends::of_socket();
  ends output = ends::of_pipe();
  ends errors = ends::of_pipe();
  input_ = input.ours;
  output_.descriptor = output.ours;
  errors_.descriptor = errors.ours;

  pid_t const parent = ::getpid();
  id_ = ::fork();
  if (id_ == 0) become(arguments.data(), directory.c_str(), input, output, errors, parent);
  int const failed = errno;
  for (ends const& one : {input, output, errors}) ::close(one.theirs);
  if (id_ > 0) return;
  for (ends const& one : {input, output, errors}) ::close(one.ours);
  throw std::system_error(failed, std::generic_category(), "fork");
}

process::~process() {
  kill();
  close_once(input_);
  close_once(output_.descriptor);
  close_once(errors_.descriptor);
}

void process::give(std::string_view input) {
  to_send_.append(input);
  send_input();
}

void process::end_input() {
  input_ends_ = true;
  send_input();
}

bool process::prints(std::string_view text, duration limit) {
  return pump_until(clock::now() + limit, [&] {
    return output_.text.find(text) != std::string::npos ||
           errors_.text.find(text) != std::string::npos;
  });
}

bool process::prints_bytes(std::size_t count, duration limit) {
  return pump_until(clock::now() + limit, [&] { return output_.text.size() >= count; });
}

std::string process::line_after(std::string_view beginning, duration limit) {
  std::optional<std::string> found;
  pump_until(clock::now() + limit, [&] {
    found = rest_of_line(output_.text, beginning);
    if (!found) found = rest_of_line(errors_.text, beginning);
    return found.has_value();
  });
  if (!found) fail("did not print a line that begins with '" + std::string(beginning) + "'");
  return *found;
}

int process::wait(duration limit) {
  auto const until = clock::now() + limit;
  pump_until(until, [] { return false; });   // until both outputs have ended
  while (id_ > 0) {
    pid_t const ended = ::waitpid(id_, &status_, WNOHANG);
    if (ended == id_) id_ = -1;
    if (ended < 0) check(-1, "waitpid");
    if (ended != 0) break;
    if (clock::now() >= until) {
      kill();
      fail("did not end within its deadline");
    }
    // The outputs have ended, and the program is about to: this is not where time is spent.
    ::poll(nullptr, 0, 1);
  }
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
}

void process::signal(int which) {
  if (id_ > 0) ::kill(id_, which);
}

void process::kill() {
  if (id_ <= 0) return;
  ::kill(id_, SIGKILL);
  reap();
}

void process::reap() {
  while (::waitpid(id_, &status_, 0) < 0 && errno == EINTR) continue;
  id_ = -1;
}

void process::send_input() {
  while (input_ >= 0 && !to_send_.empty()) {
    ssize_t const sent = ::send(input_, to_send_.data(), to_send_.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (sent < 0) return close_once(input_);   // it does not read any more
    to_send_.erase(0, static_cast<std::size_t>(sent));
  }
  if (input_ends_ && to_send_.empty()) close_once(input_);
}

void process::collected::receive() {
  std::array<char, 65536> chunk;
  for (;;) {
    ssize_t const got = ::read(descriptor, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return close_once(descriptor);
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

// Moves what can be moved, once. False at the deadline, and when both outputs have ended.
bool process::pump(time_point until) {
  if (output_.descriptor < 0 && errors_.descriptor < 0) return false;
  std::array<pollfd, 3> waited{{
      {output_.descriptor, POLLIN, 0},
      {errors_.descriptor, POLLIN, 0},
      {to_send_.empty() ? -1 : input_, POLLOUT, 0},
  }};
  int const ready = ::poll(waited.data(), waited.size(), milliseconds_until(until));
  if (ready < 0 && errno == EINTR) return true;
  check(ready, "poll");
  if (ready == 0) return false;
  if (waited[0].revents != 0) output_.receive();
  if (waited[1].revents != 0) errors_.receive();
  if (waited[2].revents != 0) send_input();
  return true;
}

bool process::pump_until(time_point until, std::function<bool()> const& done) {
  while (!done()) {
    if (!pump(until)) return done();
  }
  return true;
}

void process::fail(std::string const& what) const {
  std::string text;
  for (auto const& word : command_) text += word + ' ';
  throw std::runtime_error(text + what + "\n" + output_.text + errors_.text);
}

int accepting_port(process& s_server) {
  return std::stoi(s_server.line_after("ACCEPT 127.0.0.1:"));
}

}  // namespace cotls::test
