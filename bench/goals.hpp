#pragma once

#include "results.hpp"

#include <string_view>
#include <vector>

namespace bench {

/** A figure that cotls is to reach: a row of the summary, and of the table in
    test/guide/figures.md. */
struct goal {
  std::string_view name;
  std::string_view reach;  ///< what is to be reached; empty when it is only told
  selection of;            ///< of several cases the last one counts: the one with most connections
};

/** All of them, those of a scenario beside each other. Each is the better the less it is. */
std::vector<goal> const& goals();

}  // namespace bench
