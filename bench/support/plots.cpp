#include "plots.hpp"

#include "chart.hpp"
#include "table.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>
#include <string>
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

// Which results make a chart: one figure of one scenario, over one parameter, where the others have
// these values.
struct selection {
  std::string_view scenario;
  figure const& what;
  std::string_view over;
  parameters fixed;

  double x_of(result const& one) const {
    parameter const* const value = find(one.of.given, over);
    return value ? static_cast<double>(std::get<std::int64_t>(*value)) : 0;
  }
  bool holds(result const& one) const {
    bool const here = one.of.scenario == scenario && one.what.name == what.name &&
                      find(one.of.given, over) != nullptr;
    return here && std::all_of(fixed.begin(), fixed.end(), [&](auto const& wanted) {
             parameter const* const value = find(one.of.given, wanted.first);
             return value && *value == wanted.second;
           });
  }
};

std::vector<chart_line> lines_of(results const& all, selection const& wanted) {
  std::vector<chart_line> lines;
  for (result const& one : all.all()) {
    if (!wanted.holds(one)) continue;
    std::string const name = one.of.column();
    auto found = std::find_if(lines.begin(), lines.end(),
                              [&](chart_line const& line) { return line.name == name; });
    if (found == lines.end()) found = lines.insert(found, chart_line{name, {}});
    found->points.push_back(
        {wanted.x_of(one), one.values.median(), one.values.lowest(), one.values.highest()});
  }
  for (chart_line& line : lines) {
    std::sort(line.points.begin(), line.points.end(),
              [](chart_point const& a, chart_point const& b) { return a.x < b.x; });
  }
  return lines;
}

void write_lines(fs::path const& file, line_chart chart, results const& all,
                 selection const& wanted) {
  chart.lines = lines_of(all, wanted);
  if (!chart.lines.empty()) write(file, to_svg(chart));
}

// The headline figures of cotls that are the better the less they are, to another's.
bar_chart ratios_to(results const& all, std::string const& other) {
  bar_chart chart{"cotls : " + other, "times what " + other + " takes; less is better", {}};
  for (result const& one : all.all()) {
    bool const less_is_better = one.what.unit != "1/s" && one.what.unit != "MB/s";
    if (!is_summary(one) || one.of.column() != "cotls" || !less_is_better) continue;
    result const* const beside = all.find(one, other);
    if (!beside) continue;
    samples const ratios = one.values.to(beside->values);
    if (ratios.empty()) continue;
    chart.bars.push_back({summary_name(one), ratios.median(), ratios.lowest(), ratios.highest()});
  }
  return chart;
}

}  // namespace

void write_plots(fs::path const& directory, results const& all) {
  fs::create_directories(directory);
  parameters const usual_bulk{
      {"version", "TLSv1.3"}, {"suite", "AES-256-GCM"}, {"direction", "to client"}};
  write_lines(directory / "bulk_throughput.svg",
              {"Throughput of one connection, TLS 1.3, AES-256-GCM",
               "bytes a write",
               "MB per second",
               bytes_name,
               {}},
              all, {"bulk", figures::mb_per_second, "write_bytes", usual_bulk});
  write_lines(directory / "bulk_cpu.svg",
              {"CPU time of a transfer, both ends, TLS 1.3, AES-256-GCM",
               "bytes a write",
               "seconds per GB",
               bytes_name,
               {}},
              all, {"bulk", figures::cpu_seconds_per_gb, "write_bytes", usual_bulk});
  write_lines(directory / "echo_requests.svg",
              {"Echoes of 1 KiB, TLS 1.3", "connections", "requests per second", count_name, {}},
              all,
              {"echo",
               figures::requests_per_second,
               "connections",
               {{"message_bytes", std::int64_t{1024}}}});
  for (char const* side : {"server", "client"}) {
    write_lines(directory / ("idle_heap_" + std::string(side) + ".svg"),
                {"Heap of an idle TLS 1.3 connection, " + std::string(side),
                 "connections",
                 "bytes per connection",
                 count_name,
                 {}},
                all,
                {"idle",
                 figures::heap_bytes_per_connection,
                 "connections",
                 {{"state", "reading"}, {"side", side}}});
  }
  for (char const* other : {"asio-ssl", "openssl"}) {
    bar_chart const chart = ratios_to(all, other);
    if (!chart.bars.empty()) {
      write(directory / ("ratio_to_" + std::string(other) + ".svg"), to_svg(chart));
    }
  }
}

}  // namespace bench
