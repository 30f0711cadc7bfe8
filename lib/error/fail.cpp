#include "error/fail.hpp"

#include <utility>

namespace cotls::detail {

void fail(error_code code, std::string doing) {
  failure known;
  known.context = std::move(doing);
  throw error(code, std::move(known));
}

std::string host_and_port(std::string_view host, int port) {
  bool const brackets = host.find(':') != std::string_view::npos;
  std::string text(host);
  if (brackets) text = '[' + text + ']';
  return text + ':' + std::to_string(port);
}

}  // namespace cotls::detail
