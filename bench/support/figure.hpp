#pragma once

#include <string_view>

namespace bench {

/** What is measured: its name in the results, its unit, and how people read it. */
struct figure {
  std::string_view name;
  std::string_view unit;
  std::string_view title;
  int decimals;
};

namespace figures {

inline constexpr figure cpu_seconds_per_gb{"cpu_seconds_per_gb", "s/GB",
                                           "CPU seconds per GB, both ends", 3};
inline constexpr figure mb_per_second{"mb_per_second", "MB/s", "MB per second", 0};
inline constexpr figure syscalls_per_mb{"syscalls_per_mb", "1/MB", "system calls per MB", 1};
inline constexpr figure cpu_us_per_request{"cpu_us_per_request", "us",
                                           "CPU microseconds per request", 2};
inline constexpr figure requests_per_second{"requests_per_second", "1/s", "requests per second", 0};
inline constexpr figure syscalls_per_request{"syscalls_per_request", "calls",
                                             "system calls per request", 2};
inline constexpr figure allocations_per_request{"allocations_per_request", "allocations",
                                                "heap allocations per request", 2};
inline constexpr figure ns_per_read{"ns_per_read", "ns", "nanoseconds per read", 0};
inline constexpr figure handshakes_per_second{"handshakes_per_second", "1/s",
                                              "handshakes per second, one after the other", 0};
inline constexpr figure cpu_us_per_handshake{"cpu_us_per_handshake", "us",
                                             "CPU microseconds per connection", 0};
inline constexpr figure syscalls_per_connection{"syscalls_per_connection", "calls",
                                                "system calls per connection", 1};
inline constexpr figure allocations_per_connection{"allocations_per_connection", "allocations",
                                                   "heap allocations per connection", 1};
inline constexpr figure first_byte_us{"first_byte_us", "us",
                                      "microseconds from connect to the first byte", 0};
inline constexpr figure heap_bytes_per_connection{"heap_bytes_per_connection", "bytes",
                                                  "heap bytes per idle connection", 0};
inline constexpr figure rss_bytes_per_connection{"rss_bytes_per_connection", "bytes",
                                                 "resident bytes per idle connection", 0};
inline constexpr figure instructions_per_handshake{"instructions_per_handshake", "instructions",
                                                   "instructions per handshake, both ends", 0};
inline constexpr figure instructions_per_request{"instructions_per_request", "instructions",
                                                 "instructions per echo, both ends", 0};
inline constexpr figure instructions_per_read{"instructions_per_read", "instructions",
                                              "instructions per read", 1};

}  // namespace figures

}  // namespace bench
