#pragma once

namespace cotls::detail {

/** What is behind the public handles and options, for the library itself. */
struct access {
  /** Returns what drives a stream; null of an empty one. */
  template <class Stream>
  static auto const& core(Stream const& of) noexcept {
    return of.core_;
  }

  /** Returns what the copies of a context share. */
  template <class Context>
  static auto const& state(Context const& of) noexcept {
    return of.state_;
  }

  /** Returns options as an engine takes them. */
  template <class Options>
  static auto const& inner(Options const& of) noexcept {
    return of.inner_;
  }
};

}  // namespace cotls::detail
