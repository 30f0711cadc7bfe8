#pragma once

#include <cotls/detail/support/hook.hpp>

#include "settings/program_function.hpp"

#include <concepts>
#include <memory>
#include <utility>

namespace cotls {

class certificate_answer;
struct certificate_query;
struct client_hello;
class hello_answer;

}  // namespace cotls

namespace cotls::detail {

/** What of a handshake the program is asked, but for what is decided of its peer. */
class hook_settings {
 public:
  using hello_hook = hook<hello_answer, client_hello const&>;
  using certificate_hook = hook<certificate_answer, certificate_query const&>;

  /** Who decides what becomes of a client, by its hello; null: nobody. */
  template <std::same_as<hello_hook> Hook>   // that their answers are complete, callers see to
  void set_on_client_hello(Hook decides) { client_hello_.set(std::move(decides)); }
  std::shared_ptr<hello_hook const> const& on_client_hello() const noexcept {
    return client_hello_.shared();
  }

  /** Who decides which certificate of ours is shown; null: nobody. */
  template <std::same_as<certificate_hook> Hook>
  void set_on_certificate(Hook decides) { certificate_.set(std::move(decides)); }
  std::shared_ptr<certificate_hook const> const& on_certificate() const noexcept {
    return certificate_.shared();
  }

  bool operator==(hook_settings const&) const = default;

 private:
  program_function<hello_hook> client_hello_;
  program_function<certificate_hook> certificate_;
};

}  // namespace cotls::detail
