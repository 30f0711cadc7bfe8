#include "exit_code.hpp"

#include "explained.hpp"

namespace cotls::tool {

exit_code code_of(error const& failed) {
  for (errc const wrong : {errc::invalid_setting, errc::invalid_alpn_protocol,
                           errc::invalid_host_name, errc::invalid_port, errc::no_host_name,
                           errc::unsupported_protocol}) {
    if (failed.code() == wrong) return exit_code::usage;
  }
  return exit_code::failed;
}

void give_up_connecting(error const& failed, bool shaking) {
  exit_code const before = code_of(failed) == exit_code::usage ? exit_code::usage
                                                               : exit_code::not_connected;
  throw failure(shaking ? exit_code::refused : before, explained(failed));
}

}  // namespace cotls::tool
