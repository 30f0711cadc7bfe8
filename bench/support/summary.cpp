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

// The scenario that measures it, where a line above has not said so already.
std::string command_for(std::string_view scenario, std::string& said) {
  std::string command = "--only ";
  command += scenario == "first_byte" ? "handshake" : scenario;
  if (command == said) return {};
  said = command;
  return said;
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
  table made({"figure", "cotls", "asio::ssl", "OpenSSL", "cotls : asio::ssl", "cotls : OpenSSL",
              "goal", "cotls-bench"});
  std::string said;
  for (goal const& one : goals()) {
    result const* const which = last_of(all, one.of);
    if (!which) continue;
    made.add({std::string(one.name) + size_of(*which), value_of(all, *which, "cotls"),
              value_of(all, *which, "asio-ssl"), value_of(all, *which, "openssl"),
              ratio_of(all, *which, "asio-ssl"), ratio_of(all, *which, "openssl"),
              std::string(one.reach), command_for(one.of.scenario, said)});
  }
  return made;
}

}  // namespace bench
