#pragma once

#include <string>
#include <vector>

namespace cotls::detail {

/** What one connection is to be, beside its context. */
class connection_options {
 public:
  connection_options() {}
  std::string host;                  ///< verified and sent as SNI; clients only
  std::vector<std::string> alpn;     ///< overrides the context's, when not empty
};

}  // namespace cotls::detail
