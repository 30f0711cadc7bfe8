#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cotls::detail {

/** What one connection is to be, beside its context. */
class connection_options {
 public:
  connection_options() {}
  std::string host;                  ///< verified and sent as SNI; clients only
  std::vector<std::string> also_accepted;   ///< instead of the host, in a certificate
  std::vector<std::string> alpn;     ///< overrides the context's, when not empty
  std::uint16_t port = 0;            ///< with the host, whose sessions are resumed; 0: nobody's
};

}  // namespace cotls::detail
