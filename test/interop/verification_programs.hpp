#pragma once

#include "written_cases.hpp"

#include <optional>
#include <vector>

namespace cotls::test {

/** A program's answers, in the order of the cases: whether it accepts. None: it cannot be asked. */
using verdicts = std::vector<std::optional<bool>>;

/** Asks a program about each case, at OpenSSL's security level 2 or what is like it.
    @par Errors std::runtime_error when it says neither yes nor no */
verdicts ask_openssl(written_cases const& cases);    ///< `openssl verify`, without connections
verdicts ask_certtool(written_cases const& cases);   ///< GnuTLS, without connections
verdicts ask_curl(written_cases const& cases);       ///< one process that connects to all
verdicts ask_node(written_cases const& cases);       ///< one process that connects to all

}  // namespace cotls::test
