#include "chart.hpp"

#include "drawing.hpp"
#include "table.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace bench {

namespace {

// The area that the axes enclose, in a document of this size.
struct area {
  double width, height;
  double left, right, top, bottom;
};

// The distance of an axis' ticks: 1, 2 or 5 times a power of ten, so that there are 4 to 9.
double tick_of(double highest) {
  double const power = std::pow(10, std::floor(std::log10(highest / 4)));
  for (double const step : {5.0, 2.0}) {
    if (highest / (power * step) >= 4) return power * step;
  }
  return power;
}

std::string tick_name(double value, double tick) {
  return number(value, tick >= 1 ? 0 : static_cast<int>(std::ceil(-std::log10(tick))));
}

// Turns values into places.
class scale {
 public:
  scale(double from, double to, double first, double last)
      : from_(from), to_(to), first_(first), last_(last) {}

  double operator()(double value) const {
    if (to_ <= from_) return (first_ + last_) / 2;
    return first_ + (value - from_) / (to_ - from_) * (last_ - first_);
  }

 private:
  double from_, to_, first_, last_;
};

void draw_titles(drawing& on, std::string const& title, std::string const& subtitle) {
  on.text(24, 36, title, "start", "text title");
  on.text(24, 58, subtitle, "start", "muted");
}

// Lines are told apart without colour, too.
std::string class_of_line(std::string const& name) {
  static std::map<std::string, std::string> const known{{"cotls", "thick"},
                                                        {"cotls-token", "dashed"},
                                                        {"cotls-blocking", "dotted"},
                                                        {"limit", "dotted"}};
  auto const found = known.find(name);
  return found == known.end() ? "plain" : found->second;
}

constexpr area lines_area{860, 450, 84, 650, 84, 380};

class lines_drawing {
 public:
  explicit lines_drawing(line_chart const& chart)
      : chart_(chart), on_(at_.width, at_.height), across_(0, 1, 0, 1), up_(0, 1, 0, 1) {
    double highest = 0;
    for (chart_line const& one : chart.lines) {
      for (chart_point const& point : one.points) {
        xs_.insert(point.x);
        highest = std::max(highest, point.high);
      }
    }
    if (xs_.empty() || highest <= 0) return;
    tick_ = tick_of(highest);
    top_ = std::ceil(highest / tick_ - 1e-9) * tick_;
    across_ = scale(std::log2(*xs_.begin()), std::log2(*xs_.rbegin()), at_.left + margin,
                    at_.right - margin);
    up_ = scale(0, top_, at_.bottom, at_.top);
  }

  std::string draw() {
    draw_titles(on_, chart_.title, chart_.y_title);
    if (top_ <= 0) return on_.end();
    draw_axes();
    for (std::size_t i = chart_.lines.size(); i-- > 0;) draw_line(i);  // the first one on top
    draw_names();
    return on_.end();
  }

 private:
  static constexpr double margin = 28;
  static constexpr double name_pitch = 18;

  void draw_axes() {
    for (double value = 0; value <= top_ * 1.0001; value += tick_) {
      on_.line(at_.left, up_(value), at_.right, up_(value), "grid");
      on_.text(at_.left - 10, up_(value) + 4, tick_name(value, tick_), "end", "muted");
    }
    for (double const x : xs_) {
      double const place = across_(std::log2(x));
      on_.line(place, at_.bottom, place, at_.bottom + 5, "axis");
      on_.text(place, at_.bottom + 21, chart_.x_name(x), "middle", "muted");
    }
    on_.line(at_.left, at_.bottom, at_.right, at_.bottom, "axis");
    on_.text((at_.left + at_.right) / 2, at_.bottom + 46, chart_.x_title, "middle", "muted");
  }

  // The lines stand a little beside each other, so that their spreads can be told apart.
  double place_of(std::size_t line, chart_point const& point) const {
    double const middle = static_cast<double>(chart_.lines.size() - 1) / 2;
    return across_(std::log2(point.x)) + 4 * (static_cast<double>(line) - middle);
  }

  void draw_line(std::size_t index) {
    chart_line const& line = chart_.lines[index];
    drawing::places places;
    on_.begin_group(line.name);
    for (chart_point const& point : line.points) {
      double const x = place_of(index, point);
      places.emplace_back(x, up_(point.value));
      if (point.high > point.low) on_.line(x, up_(point.low), x, up_(point.high), "spread");
    }
    on_.polyline(places, class_of_line(line.name));
    for (auto const& [x, y] : places) on_.dot(x, y);
    on_.end_group();
  }

  // Names stand at the lines' ends, as high as these, but no two at one height.
  void draw_names() {
    std::vector<std::pair<double, std::size_t>> ends;
    for (std::size_t i = 0; i < chart_.lines.size(); ++i) {
      ends.emplace_back(up_(chart_.lines[i].points.back().value), i);
    }
    std::sort(ends.begin(), ends.end());
    std::vector<double> heights(ends.size());
    double lowest = at_.bottom + name_pitch;
    for (std::size_t i = ends.size(); i-- > 0;) {
      heights[i] = std::min(ends[i].first, lowest - name_pitch);
      lowest = heights[i];
    }
    for (std::size_t i = 1; i < ends.size(); ++i) {
      bool const outside = heights[i - 1] < at_.top;
      if (outside) heights[i - 1] = at_.top;
      heights[i] = std::max(heights[i], heights[i - 1] + name_pitch);
    }
    for (std::size_t i = 0; i < ends.size(); ++i) draw_name(ends[i].second, heights[i]);
  }

  void draw_name(std::size_t index, double height) {
    chart_line const& line = chart_.lines[index];
    chart_point const& last = line.points.back();
    double const begin = place_of(index, last) + 6;
    on_.begin_group(line.name);
    on_.polyline({{begin, up_(last.value)},
                  {at_.right + 4, up_(last.value)},
                  {at_.right + 22, height},
                  {at_.right + 28, height}},
                 "leader");
    std::string const told = line.name + "  " + number(last.value, chart_.decimals);
    on_.text(at_.right + 34, height + 4, told, "start", line.name == "cotls" ? "strong" : "plain");
    on_.end_group();
  }

  line_chart const& chart_;
  area const& at_ = lines_area;
  drawing on_;
  std::set<double> xs_;
  double tick_ = 0;
  double top_ = 0;
  scale across_;
  scale up_;
};

// What is within the spread, or rounded to 1, is as much.
char const* class_of_bar(chart_bar const& bar) {
  constexpr double rounding = 0.005;
  if (bar.low - rounding <= 1 && 1 <= bar.high + rounding) return "even";
  return bar.value < 1 ? "less" : "more";
}

}  // namespace

std::string to_svg(line_chart const& chart) { return lines_drawing(chart).draw(); }

std::string to_svg(bar_chart const& chart) {
  constexpr double height_of_bar = 14;
  constexpr double pitch = 24;
  area at{910, 0, 400, 830, 92, 0};
  at.bottom = at.top + pitch * static_cast<double>(chart.bars.size()) + 6;
  at.height = at.bottom + 36;
  drawing on(at.width, at.height);
  draw_titles(on, chart.title, chart.subtitle);

  double highest = 1.2;
  for (chart_bar const& bar : chart.bars) highest = std::max(highest, bar.high);
  scale const across(0, highest, at.left, at.right);
  double const tick = tick_of(highest);
  for (double value = 0; value <= highest * 1.0001; value += tick) {
    on.line(across(value), at.top, across(value), at.bottom, "grid");
    on.text(across(value), at.bottom + 18, tick_name(value, tick), "middle", "muted");
  }
  double y = at.top + (pitch - height_of_bar) / 2 + 3;
  for (chart_bar const& bar : chart.bars) {
    double const middle = y + height_of_bar / 2;
    on.box(at.left, y, across(bar.value) - at.left, height_of_bar, class_of_bar(bar));
    if (bar.high > bar.low) on.line(across(bar.low), middle, across(bar.high), middle, "range");
    on.text(at.left - 10, middle + 4, bar.name, "end", "text");
    on.text(at.width - 24, middle + 4, number(bar.value, 2), "end", "text strong");
    y += pitch;
  }
  on.line(across(1), at.top, across(1), at.bottom, "one");
  return on.end();
}

}  // namespace bench
