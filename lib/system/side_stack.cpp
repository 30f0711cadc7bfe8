// Two contexts (makecontext(3)), of which one is within the other:
//
//   run -> swapcontext -> function …   pause -> swapcontext -> run returns
//
// The sanitizers are told, for they follow each stack.

#include "system/side_stack.hpp"

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COTLS_ADDRESS_SANITIZER
#endif
#if __has_feature(thread_sanitizer)
#define COTLS_THREAD_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define COTLS_ADDRESS_SANITIZER
#endif
#if defined(__SANITIZE_THREAD__)
#define COTLS_THREAD_SANITIZER
#endif

#if defined(COTLS_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(COTLS_THREAD_SANITIZER)
#include <sanitizer/tsan_interface.h>
#endif

namespace cotls::detail {

// What the sanitizers know of one of two stacks, from the moment it is left.
struct watched_stack {
#if defined(COTLS_ADDRESS_SANITIZER)
  void* fakes = nullptr;
  void const* bottom = nullptr;
  std::size_t size = 0;
#endif
#if defined(COTLS_THREAD_SANITIZER)
  void* fiber = nullptr;
#endif
};

namespace {

void about_to_leave(watched_stack& from, watched_stack const& to, bool for_good) noexcept {
#if defined(COTLS_ADDRESS_SANITIZER)
  __sanitizer_start_switch_fiber(for_good ? nullptr : &from.fakes, to.bottom, to.size);
#endif
#if defined(COTLS_THREAD_SANITIZER)
  from.fiber = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(to.fiber, 0);
#endif
  static_cast<void>(from), static_cast<void>(to), static_cast<void>(for_good);
}

void arrived(watched_stack& at, watched_stack& from) noexcept {
#if defined(COTLS_ADDRESS_SANITIZER)
  __sanitizer_finish_switch_fiber(std::exchange(at.fakes, nullptr), &from.bottom, &from.size);
#endif
  static_cast<void>(at), static_cast<void>(from);
}

// Memory for stacks, of which the lowest page is nobody's: a call that needs more must not go on.
// Some are kept, for the system takes as long to give one as a context takes to be changed a
// hundred times.
class stack_memory {
 public:
  static std::byte* take() noexcept {
    {
      std::scoped_lock const lock(mutex());
      if (kept_count > 0) return kept[--kept_count];
    }
    void* const made = ::mmap(nullptr, side_stack::size + page(), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (made == MAP_FAILED) return nullptr;
    if (::mprotect(made, page(), PROT_NONE) != 0) {
      ::munmap(made, side_stack::size + page());
      return nullptr;
    }
    return static_cast<std::byte*>(made) + page();
  }

  static void give_back(std::byte* stack) noexcept {
#if defined(COTLS_ADDRESS_SANITIZER)
    ASAN_UNPOISON_MEMORY_REGION(stack, side_stack::size);
#endif
    {
      std::scoped_lock const lock(mutex());
      if (kept_count < kept.size()) {
        kept[kept_count++] = stack;
        return;
      }
    }
    ::munmap(stack - page(), side_stack::size + page());
  }

 private:
  static std::size_t page() noexcept {
    static auto const size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return size;
  }

  // Never destroyed, as what may use it at the end of the process (A22).
  static std::mutex& mutex() noexcept {
    static constinit std::mutex guards;
    return guards;
  }

  inline static std::array<std::byte*, 16> kept{};
  inline static std::size_t kept_count = 0;
};

}  // namespace

struct side_stack::state {
  ucontext_t inside{};
  ucontext_t outside{};
  watched_stack inner;
  watched_stack outer;
  std::byte* stack = nullptr;
  void (*function)(void*) = nullptr;   // null: none has begun that has not returned
  void* argument = nullptr;
  bool is_running = false;

  // An int is half a pointer.
  static void begin(unsigned high, unsigned low) noexcept {
    std::uintptr_t const address = (std::uintptr_t{high} << 32) | low;
    auto& self = *reinterpret_cast<state*>(address);
    arrived(self.inner, self.outer);
    self.function(self.argument);
    self.function = nullptr;
    about_to_leave(self.inner, self.outer, true);
    ::setcontext(&self.outside);
  }

  void prepare() noexcept {
    ::getcontext(&inside);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = side_stack::size;
    inside.uc_link = nullptr;
    auto const address = reinterpret_cast<std::uintptr_t>(this);
    ::makecontext(&inside, reinterpret_cast<void (*)()>(begin), 2,
                  static_cast<unsigned>(std::uint64_t{address} >> 32),
                  static_cast<unsigned>(address));
#if defined(COTLS_ADDRESS_SANITIZER)
    inner.fakes = nullptr;
    inner.bottom = stack;
    inner.size = side_stack::size;
#endif
  }
};

void side_stack::releaser::operator()(state* it) const noexcept {
#if defined(COTLS_THREAD_SANITIZER)
  if (it->inner.fiber) __tsan_destroy_fiber(it->inner.fiber);
#endif
  if (it->stack) stack_memory::give_back(it->stack);
  delete it;
}

side_stack::side_stack() : state_(new state) {
  state_->stack = stack_memory::take();
  if (!state_->stack) throw std::bad_alloc();
#if defined(COTLS_THREAD_SANITIZER)
  state_->inner.fiber = __tsan_create_fiber(0);
#endif
}

side_stack::~side_stack() = default;

bool side_stack::paused() const noexcept { return state_->function && !state_->is_running; }

bool side_stack::run(void (*function)(void*), void* argument) noexcept {
  state& self = *state_;
  if (!self.function) {
    self.function = function;
    self.argument = argument;
    self.prepare();
  }
  self.is_running = true;
  about_to_leave(self.outer, self.inner, false);
  ::swapcontext(&self.outside, &self.inside);
  arrived(self.outer, self.inner);
  self.is_running = false;
  return !self.function;
}

void side_stack::pause() noexcept {
  state& self = *state_;
  about_to_leave(self.inner, self.outer, false);
  ::swapcontext(&self.inside, &self.outside);
  arrived(self.inner, self.outer);
}

}  // namespace cotls::detail
