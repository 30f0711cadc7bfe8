#pragma once

#include "plan.hpp"

#include <cstddef>
#include <vector>

namespace bench {

/** Raises this process's limit of descriptors, as far as the system allows, for so many connections
    to one port of loopback, and returns how many of them there may be: what that limit and the
    ranges of ephemeral ports leave. */
std::size_t connections_allowed(std::size_t wanted);

/** Returns these numbers of connections, ascending, or as many as are allowed where that is less,
    with a note of it. */
std::vector<std::size_t> within_limits(plan& planned, std::string const& scenario,
                                       std::vector<std::size_t> const& wanted);

}  // namespace bench
