#pragma once

#include "results.hpp"

#include <filesystem>

namespace bench {

/** Writes the charts of what was measured into a directory, which is made when it is not there:
    throughput and CPU time by the size of writes, memory and the CPU time of echoes by the number
    of connections, and ratios.
    @par Errors `std::runtime_error`, `std::filesystem::filesystem_error` */
void write_plots(std::filesystem::path const& directory, results const& all);

}  // namespace bench
