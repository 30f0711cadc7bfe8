#pragma once

#include <time.h>

#include <chrono>

namespace bench {

/** The processor's and the wall's clock, in seconds, since it was made. */
class stopwatch {
 public:
  double cpu() const noexcept { return cpu_now() - cpu_; }
  double wall() const noexcept {
    return std::chrono::duration<double>(clock::now() - wall_).count();
  }

 private:
  using clock = std::chrono::steady_clock;

  // Not getrusage, which may not have seen the tick that is running.
  static double cpu_now() noexcept {
    timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
  }

  double cpu_ = cpu_now();
  clock::time_point wall_ = clock::now();
};

}  // namespace bench
