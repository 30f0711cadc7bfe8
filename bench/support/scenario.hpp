#pragma once

#include <cotls/certificate.hpp>

#include "arguments.hpp"

#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace bench {

/** The name that every server's certificate is for, and that every client verifies. */
inline constexpr char const* host_name = "localhost";

/** Makes the certificate and key that all implementations share. */
inline cotls::identity make_identity() { return cotls::make_self_signed({host_name, "127.0.0.1"}); }

/** Ends a scenario whose own result is wrong. */
inline void require(bool holds, std::string_view what) {
  if (!holds) throw std::runtime_error("wrong result: " + std::string(what));
}

/** What `main` does: runs a scenario, which returns true when all is well. */
template <class Scenario>
int run_scenario(int count, char** values, std::string_view about, Scenario const& scenario) {
  try {
    arguments given(count, values, about);
    return scenario(given) ? 0 : 1;
  } catch (std::exception const& failed) {
    std::cerr << failed.what() << '\n';
    return 2;
  }
}

}  // namespace bench
