#include "drawing.hpp"

#include <algorithm>
#include <cmath>

namespace bench {

namespace {

// A group's colour is inherited by its lines (stroke) and its texts and dots (fill).
constexpr std::string_view style = R"(<style>
text { font: 12px "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; stroke: none; }
.title { font-size: 17px; font-weight: 600; }
.strong { font-weight: 600; }
polyline { fill: none; stroke-width: 1.75; stroke-linejoin: round; }
.thick { stroke-width: 3; }
.dashed { stroke-dasharray: 7 4; }
.dotted { stroke-dasharray: 2 4; }
.spread { stroke-width: 1.5; opacity: 0.45; }
.leader { stroke-width: 1; opacity: 0.5; }
.range { stroke: #1f2328; stroke-width: 1.5; opacity: 0.75; }
.background { fill: #ffffff; stroke: #d0d7de; }
.text { fill: #1f2328; }
.muted { fill: #59636e; }
.grid { stroke: #e3e7eb; }
.axis { stroke: #8c959f; }
.one { stroke: #1f2328; stroke-width: 1.5; }
.less { fill: #3b8fdb; }
.more { fill: #e58a4e; }
.even { fill: #a9b1ba; }
.cotls { fill: #0a5cad; stroke: #0a5cad; }
.cotls-token { fill: #3f93dc; stroke: #3f93dc; }
.cotls-blocking { fill: #0f9488; stroke: #0f9488; }
.asio-ssl { fill: #cf3f1d; stroke: #cf3f1d; }
.openssl { fill: #2b8a3e; stroke: #2b8a3e; }
.tcp { fill: #7b828b; stroke: #7b828b; }
.limit { fill: #3d444d; stroke: #3d444d; }
@media (prefers-color-scheme: dark) {
.range, .one { stroke: #e6edf3; }
.background { fill: #0d1117; stroke: #30363d; }
.text { fill: #e6edf3; }
.muted { fill: #9198a1; }
.grid { stroke: #252b33; }
.axis { stroke: #656c76; }
.less { fill: #2f7cc4; }
.more { fill: #c9703a; }
.even { fill: #666f7a; }
.cotls { fill: #58a6ff; stroke: #58a6ff; }
.cotls-token { fill: #9cc9ff; stroke: #9cc9ff; }
.cotls-blocking { fill: #3fc9bb; stroke: #3fc9bb; }
.asio-ssl { fill: #ff8260; stroke: #ff8260; }
.openssl { fill: #57c56b; stroke: #57c56b; }
.tcp { fill: #a1a8b0; stroke: #a1a8b0; }
.limit { fill: #d1d7de; stroke: #d1d7de; }
}
</style>
)";

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

// A tenth of a pixel is enough.
double rounded(double value) { return std::round(value * 10) / 10; }

}  // namespace

drawing::drawing(double width, double height) {
  out_ << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width << "\" height=\"" << height
       << "\" viewBox=\"0 0 " << width << ' ' << height << "\">\n"
       << style << "<rect class=\"background\" x=\"0.5\" y=\"0.5\" rx=\"8\" width=\"" << width - 1
       << "\" height=\"" << height - 1 << "\"/>\n";
}

void drawing::begin_group(std::string_view name) { out_ << "<g class=\"" << name << "\">\n"; }

void drawing::end_group() { out_ << "</g>\n"; }

void drawing::line(double x1, double y1, double x2, double y2, std::string_view name) {
  out_ << "<line class=\"" << name << "\" x1=\"" << rounded(x1) << "\" y1=\"" << rounded(y1)
       << "\" x2=\"" << rounded(x2) << "\" y2=\"" << rounded(y2) << "\"/>\n";
}

void drawing::polyline(places const& points, std::string_view name) {
  out_ << "<polyline class=\"" << name << "\" points=\"";
  char const* separator = "";
  for (auto const& [x, y] : points) {
    out_ << separator << rounded(x) << ',' << rounded(y);
    separator = " ";
  }
  out_ << "\"/>\n";
}

void drawing::dot(double x, double y) {
  out_ << "<circle cx=\"" << rounded(x) << "\" cy=\"" << rounded(y) << "\" r=\"3\"/>\n";
}

void drawing::box(double x, double y, double width, double height, std::string_view name) {
  out_ << "<rect class=\"" << name << "\" x=\"" << rounded(x) << "\" y=\"" << rounded(y)
       << "\" width=\"" << rounded(std::max(0.0, width)) << "\" height=\"" << rounded(height)
       << "\" rx=\"2\"/>\n";
}

void drawing::text(double x, double y, std::string_view what, char const* anchor,
                   std::string_view name) {
  out_ << "<text class=\"" << name << "\" x=\"" << rounded(x) << "\" y=\"" << rounded(y)
       << "\" text-anchor=\"" << anchor << "\">" << escaped(what) << "</text>\n";
}

std::string drawing::end() { return out_.str() + "</svg>\n"; }

}  // namespace bench
