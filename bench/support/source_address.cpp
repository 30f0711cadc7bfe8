#include "source_address.hpp"

#include <netinet/in.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace bench {

namespace {

std::uint32_t next_address() noexcept {
  static std::uint32_t turn = 0;
  constexpr std::uint32_t first = INADDR_LOOPBACK + 1;
  return first + turn++ % source_addresses;
}

bool is_loopback(sockaddr const* to) noexcept {
  if (to->sa_family != AF_INET) return false;
  return reinterpret_cast<sockaddr_in const*>(to)->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
}

}  // namespace

void set_source_address(int socket, sockaddr const* to) noexcept {
  if (!is_loopback(to)) return;
  // The port is chosen by connect, which knows the peer: several peers may then share it.
  int const on = 1;
  ::syscall(SYS_setsockopt, socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(next_address());
  ::syscall(SYS_bind, socket, &from, sizeof from);
}

}  // namespace bench
