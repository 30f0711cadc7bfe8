#pragma once

#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

/** An SVG document in the making. Colours are those of classes, for a light background and for a
    dark one, and the document brings its background along: it can be read wherever it is shown. */
class drawing {
 public:
  using places = std::vector<std::pair<double, double>>;

  drawing(double width, double height);

  /** What follows, until `end_group`, has this class. */
  void begin_group(std::string_view name);
  void end_group();

  void line(double x1, double y1, double x2, double y2, std::string_view name);
  void polyline(places const& points, std::string_view name);
  void dot(double x, double y);
  void box(double x, double y, double width, double height, std::string_view name);

  /** @param anchor  `start`, `middle` or `end`: which part of the text is at x */
  void text(double x, double y, std::string_view what, char const* anchor, std::string_view name);

  /** Returns the whole document. */
  std::string end();

 private:
  std::ostringstream out_;
};

}  // namespace bench
