#include "growth.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace bench {

namespace {

struct grown {
  figure what;
  figure growth;
};

constexpr std::array figures_that_grow{
    grown{figures::heap_bytes_per_connection,
          {"heap_growth", "x", "growth of heap bytes per idle connection", 2}},
    grown{figures::cpu_us_per_request, {"cpu_growth", "x", "growth of CPU time per request", 2}},
    grown{figures::cpu_seconds_per_gb, {"gb_growth", "x", "growth of CPU time per GB", 2}},
};

constexpr std::array sizes{"connections", "idle", "write_bytes"};

parameters without(parameters given, std::string_view name) {
  std::erase_if(given, [&](auto const& one) { return one.first == name; });
  return given;
}

// Finds the same case of another size: the largest one. Null when this one is not the smallest.
result const* largest_beside(results const& all, result const& smallest, std::string_view size) {
  parameters const rest = without(smallest.of.given, size);
  result const* largest = &smallest;
  for (result const& one : all.all()) {
    parameter const* const here = find(one.of.given, size);
    bool const same =
        here && one.what.name == smallest.what.name && one.of.scenario == smallest.of.scenario &&
        one.of.column() == smallest.of.column() && without(one.of.given, size) == rest;
    if (!same) continue;
    if (*here < *find(smallest.of.given, size)) return nullptr;
    if (*here > *find(largest->of.given, size)) largest = &one;
  }
  return largest == &smallest ? nullptr : largest;
}

std::string from_to(result const& from, result const& to, std::string const& size) {
  auto const part = [&](result const& one) {
    return describe({{size, *find(one.of.given, size)}});
  };
  return "from " + part(from) + " to " + part(to);
}

void add_growth(results& into, results const& all, result const& smallest, grown const& how) {
  for (std::string const size : sizes) {
    if (!find(smallest.of.given, size)) continue;
    result const* const largest = largest_beside(all, smallest, size);
    if (!largest) continue;
    subject of = smallest.of;
    of.given = without(of.given, size);
    of.given.emplace_back("growth", from_to(smallest, *largest, size));
    samples const ratios = largest->values.to(smallest.values);
    for (double const one : ratios.all()) into.add(of, how.growth, one);
  }
}

}  // namespace

results growth_of(results const& all, std::string_view scenario) {
  results made;
  for (grown const& how : figures_that_grow) {
    for (result const& one : all.all()) {
      if (one.of.scenario == scenario && one.what.name == how.what.name) {
        add_growth(made, all, one, how);
      }
    }
  }
  return made;
}

}  // namespace bench
