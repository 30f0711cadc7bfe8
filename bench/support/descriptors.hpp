#pragma once

#include "plan.hpp"

#include <cstddef>
#include <vector>

namespace bench {

/** Raises this process's limit of descriptors as far as the system allows, and returns how many
    connections to one port of loopback a process may have: what that limit and the range of
    ephemeral ports leave. */
std::size_t connections_allowed();

/** Returns these numbers of connections, ascending, or as many as are allowed where that is less,
    with a note of it. */
std::vector<std::size_t> within_limits(plan& planned, std::string const& scenario,
                                       std::vector<std::size_t> const& wanted);

}  // namespace bench
