#pragma once

#include "plan.hpp"
#include "results.hpp"

#include <array>

namespace bench {

/* The scenarios: each plans its jobs, which add to the results. */

void bulk(plan& planned, results& into);
void gathered_writes(plan& planned, results& into);
void echo(plan& planned, results& into);
void echo_beside_idle(plan& planned, results& into);
void small_reads(plan& planned, results& into);
void handshake(plan& planned, results& into);
void signer(plan& planned, results& into);
void hooks(plan& planned, results& into);
void idle(plan& planned, results& into);
void instructions(plan& planned, results& into);

struct scenario {
  char const* name;
  void (*make)(plan&, results&);
};

inline constexpr std::array scenarios{
    scenario{"bulk", bulk},
    scenario{"gathered_writes", gathered_writes},
    scenario{"echo", echo},
    scenario{"echo_beside_idle", echo_beside_idle},
    scenario{"small_reads", small_reads},
    scenario{"handshake", handshake},
    scenario{"signer", signer},
    scenario{"hooks", hooks},
    scenario{"idle", idle},
    scenario{"instructions", instructions},
};

}  // namespace bench
