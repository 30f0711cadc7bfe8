#pragma once

#include "samples.hpp"

#include <iosfwd>
#include <string>
#include <vector>

namespace bench {

/** Writes a number with so many decimals, its thousands apart: 14,480 or 3.02. */
std::string number(double value, int decimals = 0);

/** The median of what rounds gave, and their range where there is one: "0.83 (0.80-0.86)". Empty
    when there is none. */
std::string ratio_text(samples const& ratios);

/** A table for people: the first column to the left, figures to the right. */
class table {
 public:
  explicit table(std::vector<std::string> heading);

  void add(std::vector<std::string> row);

  /** Prints to standard output, after a line that says what it shows. */
  void print(std::string const& title) const;

  /** Writes it as a table of GitHub's Markdown: texts to the left, figures to the right. */
  void write_markdown(std::ostream& to) const;

  bool empty() const noexcept { return rows_.size() == 1; }

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace bench
