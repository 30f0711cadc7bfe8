#pragma once

#include "results.hpp"

#include <ostream>

namespace bench {

/** Writes an array with an object for each figure: `scenario`, `implementation`, `parameters`,
    `figure`, `unit`, `value` (the median), `low` and `high` (the repetitions' extremes). */
void write_json(std::ostream& to, results const& all);

}  // namespace bench
