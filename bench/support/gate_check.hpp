#pragma once

#include "gates.hpp"
#include "results.hpp"

namespace bench {

/** Compares what cotls used with a gate's limits, prints each comparison, and tells whether all
    hold. A limit that nothing was measured of does not. */
bool check(gates::gate const& committed, results const& measured);

}  // namespace bench
