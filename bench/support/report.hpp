#pragma once

#include "results.hpp"

#include <string_view>

namespace bench {

/** Prints the tables of a scenario: a figure each, a row a case, a column an implementation, and
    how many times cotls takes what the others do. */
void print_scenario(results const& all, std::string_view scenario);

/** Prints what a person wants to know first: one case of each scenario. */
void print_summary(results const& all);

}  // namespace bench
