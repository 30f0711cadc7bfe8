#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace bench {

/** A bar on a terminal's standard error: how much is done, what is being measured, and the time
    left. Elsewhere it writes nothing. */
class progress {
 public:
  explicit progress(std::size_t steps);
  progress(progress const&) = delete;
  progress& operator=(progress const&) = delete;

  /** Takes the bar away. */
  ~progress() { clear(); }

  /** Begins the next step. */
  void next(std::string const& what);

  /** Makes room for other output. */
  void clear() const;

 private:
  using clock = std::chrono::steady_clock;

  std::string time_left() const;

  bool shown_;
  std::size_t steps_;
  std::size_t begun_ = 0;
  clock::time_point start_ = clock::now();
};

}  // namespace bench
