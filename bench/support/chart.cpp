#include "chart.hpp"

#include "table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <map>
#include <set>
#include <sstream>

namespace bench {

namespace {

// The area that the axes enclose, in a document of this size.
struct area {
  double width, height;
  double left, right, top, bottom;
};

constexpr area lines_area{860, 480, 90, 680, 60, 410};

// Distinct without colour, too: each has a dash pattern of its own where lines are many.
struct style {
  char const* colour;
  char const* dashes;
};

style style_of(std::string const& name) {
  static std::map<std::string, style> const known{{"cotls", {"#0b5fa5", ""}},
                                                  {"cotls-token", {"#3d9be0", "7 3"}},
                                                  {"cotls-blocking", {"#7ec3f2", "2 3"}},
                                                  {"asio-ssl", {"#c8391f", ""}},
                                                  {"asio-ssl tuned", {"#e88a6a", "7 3"}},
                                                  {"openssl", {"#3a7d2c", ""}},
                                                  {"tcp", {"#777777", ""}},
                                                  {"limit", {"#222222", "1 3"}}};
  auto const found = known.find(name);
  return found == known.end() ? style{"#8a4fa3", ""} : found->second;
}

std::string escaped(std::string_view text) {
  std::string made;
  for (char const c : text) {
    switch (c) {
      case '<':
        made += "&lt;";
        break;
      case '>':
        made += "&gt;";
        break;
      case '&':
        made += "&amp;";
        break;
      default:
        made += c;
    }
  }
  return made;
}

class drawing {
 public:
  drawing(double width, double height) {
    out_ << std::fixed << std::setprecision(1);
    out_ << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width << "\" height=\""
         << height << "\" viewBox=\"0 0 " << width << ' ' << height
         << "\" font-family=\"sans-serif\" font-size=\"13\">\n"
         << "<rect width=\"" << width << "\" height=\"" << height << "\" fill=\"#ffffff\"/>\n";
  }

  void line(double x1, double y1, double x2, double y2, char const* colour, double width = 1) {
    out_ << "<line x1=\"" << x1 << "\" y1=\"" << y1 << "\" x2=\"" << x2 << "\" y2=\"" << y2
         << "\" stroke=\"" << colour << "\" stroke-width=\"" << width << "\"/>\n";
  }

  void polyline(std::vector<std::pair<double, double>> const& points, style const& how) {
    out_ << "<polyline fill=\"none\" stroke=\"" << how.colour
         << "\" stroke-width=\"2\" stroke-dasharray=\"" << how.dashes << "\" points=\"";
    for (auto const& [x, y] : points) out_ << x << ',' << y << ' ';
    out_ << "\"/>\n";
  }

  void dot(double x, double y, char const* colour) {
    out_ << "<circle cx=\"" << x << "\" cy=\"" << y << "\" r=\"3\" fill=\"" << colour << "\"/>\n";
  }

  void box(double x, double y, double width, double height, char const* colour) {
    out_ << "<rect x=\"" << x << "\" y=\"" << y << "\" width=\"" << std::max(0.0, width)
         << "\" height=\"" << height << "\" fill=\"" << colour << "\"/>\n";
  }

  /** @param anchor  `start`, `middle` or `end`: which part of the text is at x */
  void text(double x, double y, std::string_view what, char const* anchor, double size = 13) {
    out_ << "<text x=\"" << x << "\" y=\"" << y << "\" text-anchor=\"" << anchor
         << "\" font-size=\"" << size << "\" fill=\"#222222\" stroke=\"#ffffff\" stroke-width=\"3\""
         << " paint-order=\"stroke\">" << escaped(what) << "</text>\n";
  }

  void upright_text(double x, double y, std::string_view what) {
    out_ << "<text transform=\"translate(" << x << ' ' << y
         << ") rotate(-90)\" text-anchor=\"middle\" fill=\"#222222\">" << escaped(what)
         << "</text>\n";
  }

  std::string end() { return out_.str() + "</svg>\n"; }

 private:
  std::ostringstream out_;
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

struct range {
  std::set<double> xs;
  double highest = 0;
};

range range_of(line_chart const& chart) {
  range found;
  for (chart_line const& one : chart.lines) {
    for (chart_point const& point : one.points) {
      found.xs.insert(point.x);
      found.highest = std::max(found.highest, point.high);
    }
  }
  return found;
}

void draw_axes(drawing& on, line_chart const& chart, range const& shown, scale const& across,
               scale const& up, area const& at) {
  double const tick = tick_of(shown.highest);
  for (double value = 0; value <= shown.highest * 1.0001; value += tick) {
    on.line(at.left, up(value), at.right, up(value), "#dddddd");
    on.text(at.left - 8, up(value) + 4, tick_name(value, tick), "end", 12);
  }
  for (double const x : shown.xs) {
    on.line(across(std::log2(x)), at.bottom, across(std::log2(x)), at.bottom + 5, "#444444");
    on.text(across(std::log2(x)), at.bottom + 20, chart.x_name(x), "middle", 12);
  }
  on.line(at.left, at.bottom, at.right, at.bottom, "#444444");
  on.line(at.left, at.top, at.left, at.bottom, "#444444");
  on.text((at.left + at.right) / 2, at.bottom + 46, chart.x_title, "middle");
  on.upright_text(at.left - 66, (at.top + at.bottom) / 2, chart.y_title);
  on.text(at.left, at.top - 26, chart.title, "start", 17);
  on.text(at.right + 16, at.bottom, "upright: the rounds'", "start", 11);
  on.text(at.right + 16, at.bottom + 14, "lowest to highest", "start", 11);
}

}  // namespace

std::string to_svg(line_chart const& chart) {
  area const& at = lines_area;
  drawing on(at.width, at.height);
  range const shown = range_of(chart);
  if (shown.xs.empty() || shown.highest <= 0) return on.end();
  double const margin = 20;
  scale const across(std::log2(*shown.xs.begin()), std::log2(*shown.xs.rbegin()), at.left + margin,
                     at.right - margin);
  scale const up(0, shown.highest, at.bottom, at.top);
  draw_axes(on, chart, shown, across, up, at);

  double legend = at.top + 8;
  for (chart_line const& one : chart.lines) {
    style const how = style_of(one.name);
    std::vector<std::pair<double, double>> places;
    for (chart_point const& point : one.points) {
      double const x = across(std::log2(point.x));
      on.line(x, up(point.low), x, up(point.high), how.colour, 1);
      on.dot(x, up(point.value), how.colour);
      places.emplace_back(x, up(point.value));
    }
    on.polyline(places, how);
    on.polyline({{at.right + 16, legend - 4}, {at.right + 46, legend - 4}}, how);
    on.text(at.right + 54, legend, one.name, "start");
    legend += 22;
  }
  return on.end();
}

std::string to_svg(bar_chart const& chart) {
  constexpr double height_of_bar = 16;
  constexpr double pitch = 26;
  area at{960, 0, 470, 880, 60, 0};
  at.bottom = at.top + pitch * static_cast<double>(chart.bars.size()) + 8;
  at.height = at.bottom + 60;
  drawing on(at.width, at.height);

  double highest = 1.2;
  for (chart_bar const& bar : chart.bars) highest = std::max(highest, bar.high);
  scale const across(0, highest, at.left, at.right);
  double const tick = tick_of(highest);
  for (double value = 0; value <= highest * 1.0001; value += tick) {
    on.line(across(value), at.top, across(value), at.bottom, "#dddddd");
    on.text(across(value), at.bottom + 18, tick_name(value, tick), "middle", 12);
  }

  double y = at.top + 8;
  for (chart_bar const& bar : chart.bars) {
    double const middle = y + height_of_bar / 2;
    on.box(at.left, y, across(bar.value) - at.left, height_of_bar,
           bar.value <= 1 ? "#3d9be0" : "#e88a6a");
    on.line(across(bar.low), middle, across(bar.high), middle, "#222222", 1.5);
    on.text(at.left - 8, middle + 4, bar.name, "end", 12);
    on.text(across(bar.high) + 6, middle + 4, number(bar.value, 2), "start", 12);
    y += pitch;
  }
  on.line(across(1), at.top, across(1), at.bottom, "#222222", 1.5);
  on.text(20, at.top - 26, chart.title, "start", 17);
  on.text((at.left + at.right) / 2, at.bottom + 42, chart.x_title, "middle");
  return on.end();
}

}  // namespace bench
