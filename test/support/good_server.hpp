#pragma once

#include "plain_hierarchy.hpp"

#include <string>
#include <utility>
#include <vector>

// A server whose name is right, in the cases in which something else is wrong.

namespace cotls::test {

inline constexpr char host[] = "good.test";

inline blueprint server() { return blueprint::server({host}); }

inline constexpr char unknown_words[] = "leads to no trusted root";

/** Its certificate, and behind it the others, shown to a client of these roots. */
inline verification_case case_of(std::string topic, std::string what,
                                 std::vector<crafted> const& chain,
                                 std::vector<crafted> const& roots) {
  return shown(std::move(topic), std::move(what), host, chain, roots);
}

}  // namespace cotls::test
