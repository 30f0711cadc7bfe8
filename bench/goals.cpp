#include "goals.hpp"

namespace bench {

namespace {

constexpr std::string_view no_nagle_stall = "no stall of 40 ms";
constexpr std::string_view short_reads = "≤ 1/8 × asio::ssl, ≤ 1.5 × OpenSSL";

std::vector<goal> make() {
  parameters const resting_server{{"state", "resting"}, {"side", "server"}};
  parameters const reading_server{{"state", "reading"}, {"side", "server"}};
  parameters const resting_client{{"state", "resting"}, {"side", "client"}};
  parameters const reading_client{{"state", "reading"}, {"side", "client"}};
  parameters const read_16{{"read_bytes", std::int64_t{16}}};
  parameters const read_64{{"read_bytes", std::int64_t{64}}};
  parameters const bulk{{"version", "TLSv1.3"},
                        {"suite", "AES-256-GCM"},
                        {"direction", "to client"},
                        {"write_bytes", std::int64_t{64 * 1024}}};
  parameters const bulk_sender = joined(bulk, {{"side", "sender"}, {"kind", "all"}});
  parameters const bulk_receiver = joined(bulk, {{"side", "receiver"}, {"kind", "all"}});
  parameters const echo{
      {"connections", std::int64_t{64}}, {"message_bytes", std::int64_t{1024}}, {"side", "server"}};
  parameters const echo_calls = joined(echo, {{"kind", "beside epoll_wait"}});
  parameters const echo_heap = joined(echo, {{"kind", "own"}});
  parameters const full{{"version", "TLSv1.3"}, {"handshake", "full"}};
  parameters const resumed{{"version", "TLSv1.3"}, {"handshake", "resumed"}};
  parameters const full_both = joined(full, {{"side", "both"}});
  parameters const resumed_both = joined(resumed, {{"side", "both"}});
  parameters const socket{{"transport", "socket"}};
  namespace f = figures;
  return {
      {"heap bytes per idle server connection",
       "≤ 15,000",
       {"idle", f::heap_bytes_per_connection, resting_server}},
      {"… that reads", "", {"idle", f::heap_bytes_per_connection, reading_server}},
      {"heap bytes per idle client connection",
       "≤ 20,000",
       {"idle", f::heap_bytes_per_connection, resting_client}},
      {"… that reads", "", {"idle", f::heap_bytes_per_connection, reading_client}},
      {"read of 16 bytes decrypted already, ns",
       short_reads,
       {"small_reads", f::ns_per_read, read_16}},
      {"read of 64 bytes decrypted already, ns",
       short_reads,
       {"small_reads", f::ns_per_read, read_64}},
      {"bulk, 64 KiB writes, CPU seconds per GB, both ends",
       "≤ 0.8 × asio::ssl, ≤ OpenSSL within the spread",
       {"bulk", f::cpu_seconds_per_gb, bulk}},
      {"bulk, system calls per MB, sender",
       "fewer than both",
       {"bulk", f::syscalls_per_mb, bulk_sender}},
      {"bulk, system calls per MB, receiver",
       "fewer than both",
       {"bulk", f::syscalls_per_mb, bulk_receiver}},
      {"echo of 1 KiB, 64 connections, server CPU µs",
       "≤ OpenSSL within the spread",
       {"echo", f::cpu_us_per_request, echo}},
      {"echo, system calls beside epoll_wait, server",
       "≤ 3",
       {"echo", f::syscalls_per_request, echo_calls}},
      {"echo, heap allocations but OpenSSL's, server",
       "0",
       {"echo", f::allocations_per_request, echo_heap}},
      {"full handshake, CPU µs, both ends", "", {"handshake", f::cpu_us_per_handshake, full_both}},
      {"resumed handshake, CPU µs, both ends",
       "resumes by itself",
       {"handshake", f::cpu_us_per_handshake, resumed_both}},
      {"first byte after connect, full handshake, µs",
       no_nagle_stall,
       {"first_byte", f::first_byte_us, full}},
      {"first byte after connect, resumed, µs",
       no_nagle_stall,
       {"first_byte", f::first_byte_us, resumed}},
      {"full handshake, instructions, both ends",
       "≤ 1.02 × OpenSSL",
       {"instructions", f::instructions_per_handshake, socket}},
      {"echo of 1 KiB, instructions, both ends",
       "≤ 1.10 × OpenSSL",
       {"instructions", f::instructions_per_request, socket}},
      {"read of 64 bytes decrypted already, instructions",
       "",
       {"instructions", f::instructions_per_read, socket}},
  };
}

}  // namespace

std::vector<goal> const& goals() {
  static std::vector<goal> const all = make();
  return all;
}

}  // namespace bench
