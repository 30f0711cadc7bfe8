#include "plots.hpp"

#include "chart.hpp"
#include "summary.hpp"
#include "table.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace bench {

namespace {

namespace fs = std::filesystem;

void write(fs::path const& file, std::string const& document) {
  std::ofstream out(file);
  out << document;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + file.string());
}

std::string bytes_name(double value) { return size_name(static_cast<std::int64_t>(value)); }
std::string count_name(double value) { return number(value); }

double x_of(result const& one, std::string_view over) {
  parameter const* const value = find(one.of.given, over);
  return value ? static_cast<double>(std::get<std::int64_t>(*value)) : 0;
}

// Which results make a chart: those selected, over one parameter, but for one implementation.
struct plotted {
  selection of;
  std::string_view over;
  std::string_view but_for;
};

std::vector<chart_line> lines_of(results const& all, plotted const& wanted) {
  std::vector<chart_line> lines;
  for (result const& one : all.all()) {
    std::string const name = one.of.column();
    if (!wanted.of.holds(one) || name == wanted.but_for) continue;
    auto found = std::find_if(lines.begin(), lines.end(),
                              [&](chart_line const& line) { return line.name == name; });
    if (found == lines.end()) found = lines.insert(found, chart_line{name, {}});
    found->points.push_back(
        {x_of(one, wanted.over), one.values.median(), one.values.lowest(), one.values.highest()});
  }
  for (chart_line& line : lines) {
    std::sort(line.points.begin(), line.points.end(),
              [](chart_point const& a, chart_point const& b) { return a.x < b.x; });
  }
  return lines;
}

void write_lines(fs::path const& file, line_chart chart, results const& all,
                 plotted const& wanted) {
  chart.lines = lines_of(all, wanted);
  // A blocking client has one connection: a point is no line.
  std::size_t most = 0;
  for (chart_line const& line : chart.lines) most = std::max(most, line.points.size());
  std::erase_if(chart.lines, [=](chart_line const& line) { return line.points.size() < most; });
  if (!chart.lines.empty()) write(file, to_svg(chart));
}

bar_chart ratios_to(results const& all, std::string const& other, std::string const& shown) {
  bar_chart chart{"What cotls takes, to what " + shown + " takes",
                  "Less is better; 1, and grey, is as much. Thin lines: lowest to highest round.",
                  {}};
  for (summary_line const& line : summary_of(all)) {
    result const* const own = all.find(*line.which, "cotls");
    result const* const beside = all.find(*line.which, other);
    if (!own || !beside) continue;
    samples const ratios = own->values.to(beside->values);
    if (ratios.empty()) continue;
    chart.bars.push_back({line.name, ratios.median(), ratios.lowest(), ratios.highest()});
  }
  return chart;
}

}  // namespace

void write_plots(fs::path const& directory, results const& all) {
  fs::create_directories(directory);
  std::string const upright = " (upright lines: lowest to highest round)";
  parameters const bulk{
      {"version", "TLSv1.3"}, {"suite", "AES-256-GCM"}, {"direction", "to client"}};
  write_lines(directory / "bulk_throughput.svg",
              {"Throughput of one connection, TLS 1.3, AES-256-GCM",
               "MB per second; more is better" + upright,
               "bytes a write",
               bytes_name,
               0,
               {}},
              all, {{"bulk", figures::mb_per_second, bulk}, "write_bytes", "tcp"});
  write_lines(directory / "bulk_cpu.svg",
              {"CPU time of a transfer, TLS 1.3, AES-256-GCM",
               "seconds per GB, both ends; less is better" + upright,
               "bytes a write",
               bytes_name,
               2,
               {}},
              all, {{"bulk", figures::cpu_seconds_per_gb, bulk}, "write_bytes", ""});
  write_lines(directory / "echo_cpu.svg",
              {"Echoes of 1 KiB, TLS 1.3, by the number of connections",
               "server's CPU microseconds per echo; less is better" + upright,
               "connections",
               count_name,
               1,
               {}},
              all,
              {{"echo",
                figures::cpu_us_per_request,
                {{"message_bytes", std::int64_t{1024}}, {"side", "server"}}},
               "connections",
               ""});
  for (std::string const side : {"server", "client"}) {
    write_lines(
        directory / ("idle_heap_" + side + ".svg"),
        {"Memory of an idle TLS 1.3 connection, " + side,
         "heap bytes per connection, with a coroutine that reads; less is better",
         "connections",
         count_name,
         0,
         {}},
        all,
        {{"idle", figures::heap_bytes_per_connection, {{"state", "reading"}, {"side", side}}},
         "connections",
         ""});
  }
  for (auto const& [other, shown] : {std::pair{"asio-ssl", "asio::ssl"}, {"openssl", "OpenSSL"}}) {
    bar_chart const chart = ratios_to(all, other, shown);
    if (chart.bars.empty()) continue;
    write(directory / ("ratio_to_" + std::string(other) + ".svg"), to_svg(chart));
  }
}

}  // namespace bench
