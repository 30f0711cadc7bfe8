#pragma once

namespace cotls::detail {

/** An object of each thread's, made at its first use, and gone before the thread is.

    The destructors of static objects, of a thread's own objects, and what `atexit` was given may
    run later, and may still use a connection: there is none for them, and who asks must do without.

    @tparam T  Made by its default constructor, which must not throw. One object a type: the type
               is to be its user's own. */
template <class T>
class thread_owned {
 public:
  /** Returns the object; null once it is gone. */
  static T* find() noexcept {
    if (gone) return nullptr;
    static thread_local keeper kept;
    return &kept.object;
  }

 private:
  struct keeper {
    T object;
    ~keeper() { gone = true; }
  };

  inline static thread_local constinit bool gone = false;
};

}  // namespace cotls::detail
