#pragma once

#include "hostile_pki.hpp"
#include "verification_cases.hpp"

#include <string>
#include <vector>

namespace cotls::test {

/** A root and an intermediate with which nothing is wrong, for the cases in which something else
    is. */
struct plain_hierarchy {
  crafted root = crafted::self_signed(blueprint::authority("the root"));
  crafted between = root.sign(blueprint::authority("the intermediate"));

  /** The same at each call. */
  static plain_hierarchy const& get() {
    static plain_hierarchy const made;
    return made;
  }
};

inline std::string pem_of(std::vector<crafted> const& several) {
  std::string all;
  for (crafted const& each : several) all += each.pem();
  return all;
}

/** A server's certificate, and behind it the others, shown to a client of these roots. */
inline verification_case shown(std::string topic, std::string what, std::string host,
                               std::vector<crafted> const& chain,
                               std::vector<crafted> const& roots) {
  return verification_case(std::move(topic), std::move(what), std::move(host))
      .shows(pem_of(chain), chain.front().key(), pem_of(roots));
}

/** A server's certificate that the plain intermediate has signed. */
inline verification_case shown(std::string topic, std::string what, std::string host,
                               blueprint const& leaf) {
  auto const& [root, between] = plain_hierarchy::get();
  return shown(std::move(topic), std::move(what), std::move(host), {between.sign(leaf), between},
               {root});
}

}  // namespace cotls::test
