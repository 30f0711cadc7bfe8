#pragma once

#include <cotls/context.hpp>
#include <cotls/protocol.hpp>

#include <variant>

namespace cotls::blocking {

/** A context, or the word for a protocol, which stands for a new context that is otherwise as it
    comes: what the blocking facade takes wherever a context is wanted. */
template <class Context>
class context_or_protocol {
 public:
  context_or_protocol(Context const& context) : choice_(context) {}
  context_or_protocol(protocol word) noexcept : choice_(word) {}

  /** Returns the context, or makes it. @par Errors `errc::unsupported_protocol` */
  Context context() const {
    if (auto const* given = std::get_if<Context>(&choice_)) return *given;
    return Context(std::get<protocol>(choice_));
  }

 private:
  std::variant<Context, protocol> choice_;
};

}  // namespace cotls::blocking
