#pragma once

#include "cpu.hpp"
#include "heap.hpp"
#include "system_calls.hpp"

namespace bench {

/** What a process used. */
struct usage {
  double cpu_seconds = 0;
  double wall_seconds = 0;
  system_call_counts system_calls;
  heap_counts heap;
};

/** Measures a process from its making on. */
class meter {
 public:
  usage used() const noexcept {
    usage all{watch_.cpu(), watch_.wall(), system_calls_now(), heap_now()};
    all.system_calls -= calls_;
    all.heap -= heap_;
    return all;
  }

 private:
  system_call_counts calls_ = system_calls_now();
  heap_counts heap_ = heap_now();
  stopwatch watch_;
};

}  // namespace bench
