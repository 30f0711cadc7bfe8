#pragma once

#include "results.hpp"

#include <string_view>

namespace bench {

/** Returns how many times the CPU time or the memory of the smallest case the largest one takes,
    where cases of a scenario differ by their number of connections or the size of writes alone. */
results growth_of(results const& all, std::string_view scenario);

}  // namespace bench
