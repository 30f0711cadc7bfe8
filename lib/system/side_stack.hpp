#pragma once

#include <cstddef>
#include <memory>

namespace cotls::detail {

/** A stack of its own for a call, which can be left in its midst and gone on with: by whichever
    thread, one at a time. Between its beginning and its end, what runs there must keep nothing of
    its thread's. */
class side_stack {
 public:
  /** @par Errors std::bad_alloc */
  side_stack();
  side_stack(side_stack const&) = delete;
  side_stack& operator=(side_stack const&) = delete;

  /** The call must have ended. */
  ~side_stack();

  /** Runs a function there, which throws nothing; or goes on with the one that has paused, whatever
      is given.
      @return True when the function has returned; false when it has paused. */
  bool run(void (*function)(void*), void* argument) noexcept;

  /** Leaves the function that runs here, and that calls this, until it is gone on with. */
  void pause() noexcept;

  /** Whether a function has paused here. */
  bool paused() const noexcept;

  /** Bytes that a call may use. Those that it does not are no memory. */
  static constexpr std::size_t size = 256 * 1024;

 private:
  struct state;
  struct releaser {
    void operator()(state* it) const noexcept;
  };
  std::unique_ptr<state, releaser> state_;
};

}  // namespace cotls::detail
