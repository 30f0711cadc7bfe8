#include "exit_code.hpp"

namespace cotls::tool {

namespace {

exit_code code_of_failed_connect(error const& failed) {
  error_code const code = failed.code();
  if (code == errc::invalid_host_name || code == errc::invalid_port) return exit_code::usage;
  if (code == errc::connect_timeout) return exit_code::not_connected;
  bool const of_tls = code.category() == cotls_category() || code.category() == alert_category() ||
                      code.category() == openssl_category();
  return of_tls ? exit_code::refused : exit_code::not_connected;
}

}  // namespace

void give_up_connecting(error const& failed) {
  throw failure(code_of_failed_connect(failed), failed.what());
}

}  // namespace cotls::tool
