#pragma once

#include <cstdint>

/* Counts what a program takes from the heap. heap.cpp defines the malloc family for the whole
   program, shared libraries included; `operator new` goes through it. The counters are not exact
   when several threads allocate at once: that keeps counting at a load and a store. */

namespace bench {

/** What was taken from the heap, by whom: OpenSSL, or everybody else. */
struct heap_counts {
  std::int64_t live_bytes = 0;   ///< In use, as `malloc_usable_size` has it.
  std::int64_t allocations = 0;  ///< By malloc, calloc and realloc.
  std::int64_t aligned = 0;      ///< By aligned_alloc and its kind, which coroutine frames use.
  std::int64_t openssl = 0;      ///< By OpenSSL.

  /** By Asio and the library. */
  std::int64_t own() const noexcept { return allocations + aligned; }

  heap_counts& operator-=(heap_counts const& before) noexcept {
    live_bytes -= before.live_bytes;
    allocations -= before.allocations;
    aligned -= before.aligned;
    openssl -= before.openssl;
    return *this;
  }
};

/** Counts OpenSSL's allocations apart. To be called before anything else calls OpenSSL.
    @par Errors `std::logic_error` when it comes too late */
void count_openssl_apart();

heap_counts heap_now() noexcept;

}  // namespace bench
