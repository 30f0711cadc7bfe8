#pragma once

#include <openssl/opensslv.h>

#include <array>

/* What the counts of cotls may be at the most; cmake/test.sh fails when one is above. Each is what
   was measured, and ratios of bytes have 1 % of room, since a strand picks one of 193 locks by
   chance. Where OpenSSL has a share, which differs between its versions, the count is held to that
   of OpenSSL alone in the same run. Lower them when they get better; whoever raises one says why.
   What must be there is checked, too: a gate that counts nothing would always be passed. */

namespace bench::gates {

struct limit {
  char const* figure;
  char const* where;  ///< values of the case's parameters, with spaces between: "64 server"
  double at_least;
  double at_most;
  char const* relative_to = nullptr;  ///< the limits are of the ratio to this implementation
};

/** A gate: what is measured of which scenario, and its limits. */
struct gate {
  char const* scenario;
  std::array<limit, 8> limits;  ///< those without a figure are none
};

// From there on OpenSSL by itself rests without a buffer, and takes fewer instructions for a record:
// ours weigh more beside them. What a handshake receives beyond a record is copied (T36).
inline constexpr bool is_lighter = OPENSSL_VERSION_NUMBER >= 0x30200000L;

inline constexpr std::array all{
    gate{"echo",
         {{{"syscalls_per_request", "receive", 1, 1},
           {"syscalls_per_request", "send", 1, 1},
           {"syscalls_per_request", "epoll_wait", 0.9, 1},
           {"syscalls_per_request", "epoll_ctl", 0, 1},
           {"syscalls_per_request", "other", 0, 0},
           {"allocations_per_request", "own", 0, 0},
           {"allocations_per_request", "OpenSSL's", 0.5, 1, "openssl"}}}},
    // The records of a write leave with one send and are received with one: 15.3 a MB, and some
    // more where the socket is full or empty. A receive of one record each would be 61.
    gate{"bulk",
         {{{"syscalls_per_mb", "65536 sender send", 15, 31},
           {"syscalls_per_mb", "65536 receiver receive", 15, 40}}}},
    gate{"gathered_writes",
         {{{"syscalls_per_mb", "16 sender send", 61, 64},
           {"syscalls_per_mb", "64 sender send", 61, 64},
           {"syscalls_per_mb", "256 sender send", 61, 64}}}},
    // The last flight leaves with the first data. A client does not look for what cannot be here; a
    // server does once, for a hello that came with the connection, and has a seat for it in the
    // listener's room.
    gate{"handshake",
         {{{"syscalls_per_connection", "server send", 2, 2},
           {"syscalls_per_connection", "client send", 2, 2},
           {"syscalls_per_connection", "server receive", 2, 3},
           {"syscalls_per_connection", "client receive", 2, 2},
           {"allocations_per_connection", "server own", 1, is_lighter ? 16. : 15.},
           {"allocations_per_connection", "client own", 1, 39.5},
           {"allocations_per_connection", "server OpenSSL's", 0.5, 1.02, "openssl"},
           {"allocations_per_connection", "client OpenSSL's", 0.5, 1.01, "openssl"}}}},
    // A client that rests has read all that was here; of OpenSSL's buffers, that of a lone OpenSSL
    // keeps one.
    gate{"idle",
         {{{"heap_bytes_per_connection", "resting server", 0.5, 1.06, "openssl"},
           {"heap_bytes_per_connection", "reading server", 0.5, 1.14, "openssl"},
           {"heap_bytes_per_connection", "resting client", 0.2, is_lighter ? 1.06 : 0.7, "openssl"},
           {"heap_bytes_per_connection", "reading client", 0.5, 1.11, "openssl"}}}},
    // Before OpenSSL 3.2, fewer decoders make a handshake lighter than OpenSSL's own (T19): 0.933 in
    // memory and 0.938 over a socket, 1.002 and 1.006 without.
    // An echo over a socket takes 1.196 of OpenSSL 3.0.22's instructions, and 1.200 of 3.0.20's. What
    // malloc does for an echo in memory depends on what was freed before: by up to 0.01.
    gate{"instructions",
         {{{"instructions_per_handshake", "memory", 0.5, is_lighter ? 1.01 : 0.95, "openssl"},
           {"instructions_per_handshake", "socket", 0.5, is_lighter ? 1.01 : 0.95, "openssl"},
           {"instructions_per_request", "memory", 0.5, is_lighter ? 1.2 : 1.14, "openssl"},
           {"instructions_per_request", "socket", 0.5, is_lighter ? 1.27 : 1.21, "openssl"},
           {"instructions_per_read", "memory", 0.1, 0.72, "openssl"},
           {"instructions_per_read", "socket", 0.5, 2.07, "openssl"}}}},
};

}  // namespace bench::gates
