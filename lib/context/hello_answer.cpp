#include <cotls/hello_answer.hpp>

#include <cotls/context.hpp>

namespace cotls {

hello_answer::hello_answer(server_context const& by) noexcept
    : state_(detail::access::state(by)) {}

}  // namespace cotls
