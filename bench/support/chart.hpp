#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/** A point of a line, with the spread of what was measured there. */
struct chart_point {
  double x;
  double value;
  double low;
  double high;
};

struct chart_line {
  std::string name;
  std::vector<chart_point> points;
};

/** What a chart of lines shows; lines are named, and coloured, as implementations. The horizontal
    axis is logarithmic, with a tick at each x that occurs; the vertical one begins at 0. */
struct line_chart {
  std::string title;
  std::string y_title;  ///< below the title
  std::string x_title;
  std::string (*x_name)(double);
  int decimals;  ///< of the values that stand at the lines' ends
  std::vector<chart_line> lines;
};

struct chart_bar {
  std::string name;
  double value;
  double low;
  double high;
};

/** Bars of ratios: how many times one takes what another does. Less is better, and 1 is marked. */
struct bar_chart {
  std::string title;
  std::string subtitle;
  std::vector<chart_bar> bars;
};

/** Each returns a whole SVG document. */
std::string to_svg(line_chart const& chart);
std::string to_svg(bar_chart const& chart);

}  // namespace bench
