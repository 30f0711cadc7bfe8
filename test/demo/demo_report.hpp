#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace cotls::demo {

/** What came of one claim. */
struct outcome {
  bool as_claimed;
  std::string text;   ///< one line for people, and below it what programs said when it is not
};

/** Prints claims as they come true or not, aligned, in colour on a terminal. */
class report {
 public:
  report();

  void title(std::string_view text) const;
  void section(std::string_view text) const;
  void claim(std::string_view what, outcome const& came);

  /** Prints the summary.
      @return What the program exits with: 0 when there were claims, and all came true */
  int finish() const;

 private:
  std::string in_colour(std::string_view text, char const* code) const;

  bool const colour_;
  std::chrono::steady_clock::time_point const begun_ = std::chrono::steady_clock::now();
  int claims_ = 0;
  int failed_ = 0;
};

}  // namespace cotls::demo
