#include "descriptors.hpp"

#include "source_address.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace bench {

namespace {

constexpr std::size_t others = 100;  // descriptors that are no connection's

// Returns how many descriptors a process may have, which is raised as far as the system allows.
std::size_t raise_descriptors(std::size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  rlimit const privileged{wanted, wanted};
  if (limit.rlim_max < wanted && setrlimit(RLIMIT_NOFILE, &privileged) == 0) return wanted;
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

std::size_t ports() {
  std::size_t first = 32768;
  std::size_t last = 60999;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first >> last;
  // The system prefers odd or even ports for connect, and finds few free ones at the end.
  return last > first ? source_addresses * (last - first) / 2 : 0;
}

}  // namespace

std::size_t connections_allowed(std::size_t wanted) {
  std::size_t const least = std::min(raise_descriptors(wanted + others), ports());
  return least > others ? std::min(least - others, wanted) : 0;
}

std::vector<std::size_t> within_limits(plan& planned, std::string const& scenario,
                                       std::vector<std::size_t> const& wanted) {
  std::size_t const most = connections_allowed(wanted.back());
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
