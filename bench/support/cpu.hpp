#pragma once

#include <sys/resource.h>

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

  static double cpu_now() noexcept {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    auto const seconds = [](timeval const& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
  }

  double cpu_ = cpu_now();
  clock::time_point wall_ = clock::now();
};

}  // namespace bench
