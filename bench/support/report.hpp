#pragma once

#include "results.hpp"

#include <string_view>

namespace bench {

/** Prints the tables of a scenario: a figure each, a row a case, a column an implementation, and
    how many times cotls takes what the others do. */
void print_scenario(results const& all, std::string_view scenario);

/** Prints the goals, and what was measured of them. */
void print_summary(results const& all);

}  // namespace bench
