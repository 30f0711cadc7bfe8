#include "commands.hpp"

#include <csignal>

#include <fcntl.h>

int main(int count, char** words) {
  // What is opened first would otherwise become the standard stream that is missing.
  for (int descriptor = 0; descriptor >= 0 && descriptor <= 2;) {
    descriptor = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  }
  // A reader that has gone is an error of a write, and not the end of everything.
  std::signal(SIGPIPE, SIG_IGN);
  return static_cast<int>(cotls::tool::run({words + 1, words + count}));
}
