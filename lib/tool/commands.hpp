#pragma once

#include "command_line.hpp"
#include "exit_code.hpp"

namespace cotls::tool {

/** The subcommands. Each takes the words behind its name.
    @par Errors `failure`, and whatever the library throws: one line each on standard error. */
exit_code connect(words const& given);
exit_code serve(words const& given);
exit_code inspect(words const& given);

/** Runs the whole command: everything it prints and exits with. */
exit_code run(words const& given);

}  // namespace cotls::tool
