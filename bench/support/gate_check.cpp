#include "gate_check.hpp"

#include "table.hpp"

#include <iostream>
#include <sstream>
#include <string>

namespace bench {

namespace {

bool is(parameter const& value, std::string const& part) {
  if (auto const* text = std::get_if<std::string>(&value)) return *text == part;
  return std::to_string(std::get<std::int64_t>(value)) == part;
}

// Says whether each part of `where` is a value of the case's.
bool is_there(std::string const& where, parameters const& given) {
  std::istringstream parts(where);
  for (std::string part; parts >> part;) {
    bool found = false;
    for (auto const& [name, value] : given) found = found || is(value, part);
    if (!found) return false;
  }
  return true;
}

bool compare(gates::limit const& committed, result const& one, results const& measured) {
  double value = one.values.median();
  std::string name = describe(one.of.given) + ": " + std::string(one.what.title);
  if (committed.relative_to) {
    result const* const other = measured.find(one, committed.relative_to);
    if (!other) {
      std::cout << "FAIL  " << name << ": nothing was measured of " << committed.relative_to
                << '\n';
      return false;
    }
    value /= other->values.median();
    name += std::string(", to ") + committed.relative_to;
  }
  bool const holds = value >= committed.at_least && value <= committed.at_most;
  std::cout << (holds ? "ok    " : "FAIL  ") << name << ": " << number(value, 3) << ", committed "
            << number(committed.at_least, 3) << " to " << number(committed.at_most, 3) << std::endl;
  return holds;
}

}  // namespace

bool check(gates::gate const& committed, results const& measured) {
  bool all_hold = true;
  for (gates::limit const& one : committed.limits) {
    if (!one.figure) continue;
    bool measured_at_all = false;
    for (result const& known : measured.all()) {
      bool const meant = known.of.implementation == "cotls" && known.what.name == one.figure &&
                         is_there(one.where, known.of.given);
      if (!meant) continue;
      measured_at_all = true;
      all_hold = compare(one, known, measured) && all_hold;
    }
    if (!measured_at_all) {
      std::cout << "FAIL  " << one.figure << " of " << one.where << ": nothing was measured\n";
      all_hold = false;
    }
  }
  return all_hold;
}

}  // namespace bench
