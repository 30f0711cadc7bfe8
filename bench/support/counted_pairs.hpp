#pragma once

#include <string>
#include <vector>

/* What runs under Callgrind: both ends of a connection in one thread, over memory or sockets. */

namespace bench {

/** Whether the program was built with Valgrind's headers. */
extern bool const can_count_instructions;

/** Says, on the command line, which subject is to run. */
inline constexpr char const* subject_option = "--counted-subject";

/** A part that is counted, and how many of the thing it holds. */
struct counted_part {
  char const* name;
  int times;
};

inline constexpr int counted_message = 1024;
inline constexpr int counted_piece = 64;
inline constexpr counted_part counted_handshakes{"handshakes", 20};
inline constexpr counted_part counted_echoes{"echoes", 200};
inline constexpr int counted_reads_a_record = 16 * 1024 / counted_piece - 2;
inline constexpr counted_part counted_reads{"reads", 20 * counted_reads_a_record};

/** `implementation/transport`: "cotls/memory". */
std::vector<std::string> counted_subjects();

/** Runs a subject; does nothing but work when it is not under Callgrind.
    @par Errors `std::runtime_error` when what is read is not what was written */
void run_counted_subject(std::string const& name);

}  // namespace bench
