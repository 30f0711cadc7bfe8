#include "summary.hpp"

#include "goals.hpp"

#include <array>
#include <string_view>

namespace bench {

namespace {

constexpr std::string_view continued = "… ";

// A goal that goes on with the one before it is named as that one is.
std::string whole_name(goal const& one, std::string const& before) {
  if (!one.name.starts_with(continued)) return std::string(one.name);
  return before + " " + std::string(one.name.substr(continued.size()));
}

result const* last_of(results const& all, selection const& wanted) {
  result const* last = nullptr;
  for (result const& one : all.all()) {
    if (wanted.holds(one)) last = &one;
  }
  return last;
}

// Of many connections, how many there were is a part of the name: it depends on the effort.
std::string size_of(result const& one) {
  parameter const* const count = find(one.of.given, "connections");
  if (one.of.scenario != "idle" || !count) return {};
  return ", of " + number(static_cast<double>(std::get<std::int64_t>(*count)));
}

std::string value_of(results const& all, result const& like, std::string_view column) {
  result const* const one = all.find(like, column);
  return one ? number(one->values.median(), one->what.decimals) : std::string();
}

std::string ratio_of(results const& all, result const& like, std::string_view other) {
  result const* const of = all.find(like, "cotls");
  result const* const to = all.find(like, other);
  return of && to ? ratio_text(of->values.to(to->values)) : std::string();
}

std::vector<std::string> const heading{
    "figure", "cotls", "asio::ssl", "OpenSSL", "cotls : asio::ssl", "cotls : OpenSSL"};

std::vector<std::string> cells_of(results const& all, std::string name, result const& which) {
  return {std::move(name),
          value_of(all, which, "cotls"),
          value_of(all, which, "asio-ssl"),
          value_of(all, which, "openssl"),
          ratio_of(all, which, "asio-ssl"),
          ratio_of(all, which, "openssl")};
}

// The scenario that measures it.
std::string_view command_for(goal const& one) {
  return one.of.scenario == "first_byte" ? "handshake" : one.of.scenario;
}

}  // namespace

std::vector<summary_line> summary_of(results const& all) {
  std::vector<summary_line> lines;
  std::string name;
  for (goal const& one : goals()) {
    name = whole_name(one, name);
    result const* const which = last_of(all, one.of);
    if (which) lines.push_back({name + size_of(*which), which});
  }
  return lines;
}

table summary_table(results const& all) {
  table made(heading);
  for (summary_line const& line : summary_of(all)) {
    made.add(cells_of(all, line.name, *line.which));
  }
  return made;
}

table goal_table(results const& all) {
  std::vector<std::string> columns = heading;
  columns.insert(columns.end(), {"goal", "cotls-bench --only"});
  table made(std::move(columns));
  std::string_view said;
  for (goal const& one : goals()) {
    result const* const which = last_of(all, one.of);
    if (!which) continue;
    std::vector<std::string> cells = cells_of(all, std::string(one.name) + size_of(*which), *which);
    std::string_view const command = command_for(one);
    cells.emplace_back(one.reach);
    cells.emplace_back(command == said ? "" : command);
    said = command;
    made.add(std::move(cells));
  }
  return made;
}

}  // namespace bench
