#include "heap.hpp"

#include <openssl/crypto.h>

#include <errno.h>
#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <stdexcept>

// glibc's own allocator, under the names by which it can still be reached.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);
}

namespace {

using counter = std::atomic<std::int64_t>;

constinit counter live_bytes{0};
constinit counter allocations{0};
constinit counter aligned{0};
constinit counter openssl{0};

// The processes that are measured have one thread, and a locked addition would be felt.
void add(counter& to, std::int64_t value) noexcept {
  to.store(to.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

std::int64_t size_of(void* memory) noexcept {
  return static_cast<std::int64_t>(malloc_usable_size(memory));
}

void* counted(void* memory, counter& by) noexcept {
  if (!memory) return nullptr;
  add(by, 1);
  add(live_bytes, size_of(memory));
  return memory;
}

void release(void* memory) noexcept {
  add(live_bytes, -size_of(memory));
  __libc_free(memory);
}

void* reallocate(void* old, std::size_t size, counter& by) noexcept {
  std::int64_t const before = size_of(old);
  void* const memory = __libc_realloc(old, size);
  bool const gone = memory || size == 0;
  if (gone) add(live_bytes, -before);
  return counted(memory, by);
}

void* openssl_malloc(std::size_t size, char const*, int) {
  return counted(__libc_malloc(size), openssl);
}

void* openssl_realloc(void* old, std::size_t size, char const*, int) {
  return reallocate(old, size, openssl);
}

void openssl_free(void* memory, char const*, int) { release(memory); }

}  // namespace

extern "C" {

void* malloc(std::size_t size) noexcept { return counted(__libc_malloc(size), allocations); }

void* calloc(std::size_t count, std::size_t size) noexcept {
  return counted(__libc_calloc(count, size), allocations);
}

void* realloc(void* old, std::size_t size) noexcept { return reallocate(old, size, allocations); }

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return counted(__libc_memalign(alignment, size), aligned);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return counted(__libc_memalign(alignment, size), aligned);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
  if (alignment % sizeof(void*) != 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  *memory = counted(__libc_memalign(alignment, size), aligned);
  return *memory ? 0 : ENOMEM;
}

void free(void* memory) noexcept { release(memory); }

}  // extern "C"

namespace bench {

namespace {

bool openssl_is_counted = false;

// The library makes OpenSSL allocate as it is loaded: by a constructor of this priority, which comes
// behind those of the executable itself.
[[gnu::constructor(101)]] void count_openssl_from_the_start() noexcept {
  openssl_is_counted = CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;
}

}  // namespace

void count_openssl_apart() {
  if (!openssl_is_counted) {
    throw std::logic_error("OpenSSL has allocated before it could be counted");
  }
}

heap_counts heap_now() noexcept {
  heap_counts counts;
  counts.live_bytes = live_bytes.load(std::memory_order_relaxed);
  counts.allocations = allocations.load(std::memory_order_relaxed);
  counts.aligned = aligned.load(std::memory_order_relaxed);
  counts.openssl = openssl.load(std::memory_order_relaxed);
  return counts;
}

}  // namespace bench
