#include "settings/record_settings.hpp"

#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"
#include "session/resumption.hpp"

#include <openssl/ssl.h>

#include <string>

namespace cotls::detail {

void record_settings::set_max_hello(std::size_t bytes) {
  if (bytes == 0 || bytes > largest_max_hello) {
    fail(errc::invalid_setting, "set_max_client_hello: from 1 to " +
                                    std::to_string(largest_max_hello) + " bytes");
  }
  max_hello_ = bytes;
}

void record_settings::set_max_sent(std::size_t bytes) {
  if (bytes < 512 || bytes > SSL3_RT_MAX_PLAIN_LENGTH) {
    fail(errc::invalid_setting, "set_max_sent_record: from 512 to " +
                                    std::to_string(SSL3_RT_MAX_PLAIN_LENGTH) + " bytes");
  }
  max_sent_.set(bytes);
}

void record_settings::set_max_fragment(std::size_t bytes) {
  switch (bytes) {
    case 0: return max_fragment_.set(TLSEXT_max_fragment_length_DISABLED);
    case 512: return max_fragment_.set(TLSEXT_max_fragment_length_512);
    case 1024: return max_fragment_.set(TLSEXT_max_fragment_length_1024);
    case 2048: return max_fragment_.set(TLSEXT_max_fragment_length_2048);
    case 4096: return max_fragment_.set(TLSEXT_max_fragment_length_4096);
    default: break;
  }
  fail(errc::invalid_setting, "set_max_fragment_length: 512, 1024, 2048 or 4096 bytes, or 0");
}

void record_settings::apply_to(SSL_CTX* context, role end, record_settings const& applied) const {
  if (end == role::server) limit_tickets(context, max_hello_);
  clear_openssl_errors();
  bool set = true;
  if (max_sent_.set_since(applied.max_sent_)) {
    set &= SSL_CTX_set_max_send_fragment(context, static_cast<long>(max_sent_.value())) == 1;
  }
  if (max_fragment_.set_since(applied.max_fragment_)) {
    set &= SSL_CTX_set_tlsext_max_fragment_length(context, max_fragment_.value()) == 1;
  }
  if (!set) throw_openssl_error(errc::invalid_setting, "setting the length of records");
}

}  // namespace cotls::detail
