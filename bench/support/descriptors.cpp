#include "descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace bench {

std::size_t connections_allowed() {
  constexpr std::size_t others = 100;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;

  std::size_t first = 32768;
  std::size_t last = 60999;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first >> last;
  std::size_t const ports = last > first ? last - first : 0;

  // The system prefers odd or even ports for connect, and finds few free ones at the end.
  std::size_t const least = std::min<std::size_t>(limit.rlim_cur, ports / 2);
  return least > others ? least - others : 0;
}

std::vector<std::size_t> within_limits(plan& planned, std::string const& scenario,
                                       std::vector<std::size_t> const& wanted) {
  std::size_t const most = connections_allowed();
  std::vector<std::size_t> possible;
  for (std::size_t const count : wanted) {
    std::size_t const some = std::min(count, most);
    if (some < count) {
      planned.note(scenario + ": " + std::to_string(some) + " connections instead of " +
                   std::to_string(count) + " (see ulimit -n, and net.ipv4.ip_local_port_range)");
    }
    if (possible.empty() || possible.back() != some) possible.push_back(some);
  }
  return possible;
}

}  // namespace bench
