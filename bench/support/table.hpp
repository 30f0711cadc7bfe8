#pragma once

#include <string>
#include <vector>

namespace bench {

/** Writes a number with so many decimals, its thousands apart: 14,480 or 3.02. */
std::string number(double value, int decimals = 0);

/** How many times `value` is `of`: "1.25 x". */
std::string ratio(double value, double of);

/** A table for people: the first column to the left, figures to the right. */
class table {
 public:
  explicit table(std::vector<std::string> heading);

  void add(std::vector<std::string> row);

  /** Prints to standard output, after a line that says what it shows. */
  void print(std::string const& title) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace bench
