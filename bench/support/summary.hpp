#pragma once

#include "results.hpp"
#include "table.hpp"

#include <string>
#include <vector>

namespace bench {

/** A goal that something was measured of. */
struct summary_line {
  std::string name;     ///< whole, with the number of connections
  result const* which;  ///< the case, of any implementation
};

std::vector<summary_line> summary_of(results const& all);

/** What a person wants to know first: for each goal what cotls and the others take, and how many
    times what they take cotls does. */
table summary_table(results const& all);

/** The same for test/guide/figures.md, with what is to be reached, and how it is measured again. */
table goal_table(results const& all);

}  // namespace bench
