#pragma once

/* What the counts of cotls may be at the most, checked by cmake/test.sh. Each was measured; bytes
   have 1 % of room, since the addresses that a strand's lock is found by vary from run to run.
   Lower them when they get better. */

namespace bench::gates {

// Heap bytes per idle TLS 1.3 connection: the stream alone, and with a coroutine that reads.
inline constexpr double idle_server_bytes = 15'000;
inline constexpr double idle_server_reading_bytes = 16'900;
inline constexpr double idle_client_bytes = 20'000;
inline constexpr double idle_client_reading_bytes = 21'000;

// System calls per echo beside epoll_wait, and returns of epoll_wait.
inline constexpr double echo_server_system_calls = 3;
inline constexpr double echo_server_epoll_waits = 1;
inline constexpr double echo_client_system_calls = 3;
inline constexpr double echo_client_epoll_waits = 1;

// Heap allocations per echo: by Asio and cotls, and by OpenSSL.
inline constexpr double echo_allocations = 0;
inline constexpr double echo_openssl_allocations = 2;

}  // namespace bench::gates
