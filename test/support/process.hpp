#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace cotls::test {

/** A program that runs beside us, its input and both its outputs in our hands.

    It is killed and reaped with the object, and by the kernel when the thread that started it ends,
    so that a test that crashes leaves nothing behind. Nothing waits beyond a deadline.

    @par Concurrency One thread at a time.
*/
class process {
 public:
  using duration = std::chrono::steady_clock::duration;
  static constexpr duration patience = std::chrono::seconds(20);

  /** Starts a program, found as the shell finds it.
      @param command    Its name and its arguments.
      @param directory  Where it works; the current directory when empty. */
  explicit process(std::vector<std::string> command, std::filesystem::path const& directory = {});

  process(process const&) = delete;
  process& operator=(process const&) = delete;
  ~process();

  /** Gives it input: at once what it takes at once, the rest while we wait for something else. */
  void give(std::string_view input);

  /** Ends its input, after what it was given. */
  void end_input();

  /** Waits until it has printed the text to either output.
      @return False when it ended without it, or at the deadline. */
  bool prints(std::string_view text, duration limit = patience);

  /** Waits until this many bytes of standard output have come. */
  bool prints_bytes(std::size_t count, duration limit = patience);

  /** Waits for a whole line of either output that begins so, and returns the rest of the line.
      @par Errors std::runtime_error, with all that the program said */
  std::string line_after(std::string_view beginning, duration limit = patience);

  /** Waits for its end.
      @return What it exited with; 128 and the signal's number when a signal ended it; 127 when it
      could not be started.
      @par Errors std::runtime_error when it has not ended by the deadline; it is killed then */
  int wait(duration limit = patience);

  /** Sends it a signal, unless it has been waited for. */
  void signal(int which);

  /** Ends it with SIGKILL, and reaps it. */
  void kill();

  std::string const& output() const noexcept { return output_.text; }
  std::string const& errors() const noexcept { return errors_.text; }

 private:
  using time_point = std::chrono::steady_clock::time_point;

  struct collected {
    int descriptor = -1;
    std::string text;
    void receive();
  };

  void send_input();
  bool pump(time_point until);
  bool pump_until(time_point until, std::function<bool()> const& done);
  void reap();
  [[noreturn]] void fail(std::string const& what) const;

  std::vector<std::string> command_;
  pid_t id_ = -1;
  int status_ = 0;
  int input_ = -1;
  std::string to_send_;
  bool input_ends_ = false;
  collected output_;
  collected errors_;
};

/** Waits for an `openssl s_server -accept 127.0.0.1:0` to say which port it was given. */
int accepting_port(process& s_server);

}  // namespace cotls::test
