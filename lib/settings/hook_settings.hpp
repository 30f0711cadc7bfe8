#pragma once

#include <cotls/certificate_query.hpp>
#include <cotls/detail/support/hook.hpp>
#include <cotls/hello_answer.hpp>

#include "settings/program_function.hpp"

#include <memory>
#include <utility>

namespace cotls {

struct client_hello;

}  // namespace cotls

namespace cotls::detail {

/** What of a handshake the program is asked, but for what is decided of its peer. */
class hook_settings {
 public:
  using hello_hook = hook<hello_answer, client_hello const&>;
  using certificate_hook = hook<certificate_answer, certificate_query const&>;

  /** Who decides what becomes of a client, by its hello; null: nobody. */
  void set_on_client_hello(hello_hook decides) { client_hello_.set(std::move(decides)); }
  std::shared_ptr<hello_hook const> const& on_client_hello() const noexcept {
    return client_hello_.shared();
  }

  /** Who decides which certificate of ours is shown; null: nobody. */
  void set_on_certificate(certificate_hook decides) { certificate_.set(std::move(decides)); }
  std::shared_ptr<certificate_hook const> const& on_certificate() const noexcept {
    return certificate_.shared();
  }
  bool shows_certificates() const noexcept { return certificate_.get() != nullptr; }

  bool operator==(hook_settings const&) const = default;

 private:
  program_function<hello_hook> client_hello_;
  program_function<certificate_hook> certificate_;
};

}  // namespace cotls::detail
