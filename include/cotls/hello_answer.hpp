#pragma once

#include <cotls/detail/support/access.hpp>
#include <cotls/error.hpp>

#include <concepts>
#include <memory>
#include <optional>

namespace cotls {

class server_context;

namespace detail {
class context_state;
}

/** What a server does about a client's hello (`server_context::on_client_hello`). A context or an
    alert stands for an answer. */
class hello_answer {
 public:
  /** Goes on with the server's own context, and the virtual host that the client asks for. */
  hello_answer() noexcept {}

  /** Goes on with another context, all of whose settings apply (`add_virtual_host`). It is sealed,
      should it not be; its own hook for hellos and its own virtual hosts are not asked. */
  template <std::same_as<server_context> Context>
  hello_answer(Context const& by) noexcept : state_(detail::access::state(by)) {}

  /** Refuses the client: it is sent this alert, and the handshake fails with
      `errc::peer_not_allowed`. `alert::unrecognized_name`: the host is not served. */
  hello_answer(alert why) noexcept : refused_(why) {}

  std::optional<alert> const& refused() const noexcept { return refused_; }

 private:
  friend detail::access;

  std::shared_ptr<detail::context_state> state_;
  std::optional<alert> refused_;
};

}  // namespace cotls
