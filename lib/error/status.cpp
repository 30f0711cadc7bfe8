#include <cotls/status.hpp>

namespace cotls {

std::string_view to_string(status value) noexcept {
  switch (value) {
    case status::unclassified: return "unclassified";
    case status::zero_return: return "zero_return";
    case status::want_read: return "want_read";
    case status::want_write: return "want_write";
    case status::want_connect: return "want_connect";
    case status::want_accept: return "want_accept";
    case status::want_x509_lookup: return "want_x509_lookup";
    case status::syscall: return "syscall";
    case status::ssl: return "ssl";
    case status::want_client_hello: return "want_client_hello";
    case status::want_retry_verify: return "want_retry_verify";
    case status::want_async: return "want_async";
    case status::want_async_job: return "want_async_job";
  }
  return "unknown";
}

}  // namespace cotls
