#include "settings/record_settings.hpp"

#include "error/fail.hpp"
#include "session/resumption.hpp"

#include <string>

namespace cotls::detail {

void record_settings::set_max_hello(std::size_t bytes) {
  if (bytes == 0 || bytes > largest_max_hello) {
    fail(errc::invalid_setting, "set_max_client_hello: from 1 to " +
                                    std::to_string(largest_max_hello) + " bytes");
  }
  max_hello_ = bytes;
}

void record_settings::apply_to(SSL_CTX* context, role end) const {
  if (end == role::server) limit_tickets(context, max_hello_);
}

}  // namespace cotls::detail
