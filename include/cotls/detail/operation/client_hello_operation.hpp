#pragma once

#include <cotls/detail/operation/claim.hpp>
#include <cotls/error.hpp>
#include <cotls/step.hpp>

namespace cotls::detail {

/// Reads a ClientHello (`hello_reader`). Holds both directions.
template <class Connection>
class client_hello_operation : public claim<Connection, client_hello_operation<Connection>> {
  using base = claim<Connection, client_hello_operation>;

 public:
  static constexpr bool counts_bytes = false;
  static constexpr char const* name = "reading the client hello";

  explicit client_hello_operation(Connection* connection) noexcept : base(connection) {}

  action advance(error_code const& waited = {}, interruption by = interruption::none) {
    if (!this->begin(true, true)) return action::complete;
    if (this->ends(waited, by, errc::handshake_timeout)) return this->finish(this->error_);
    if (!done_) {
      step const next = this->engine().read();
      if (next.want == want::input) return this->wait_input(action::wait_input);
      this->error_ = next.error;
      done_ = true;
    }
    // What is no hello is answered by an alert, which is the client's to know first (T18).
    if (!this->flushed()) return this->rest(action::wait_output);
    return this->finish(this->error_);
  }

 protected:
  action finish(error_code code) {
    this->error_ = code;
    this->give_back();
    return action::complete;
  }

 private:
  bool done_ = false;
};

}  // namespace cotls::detail
