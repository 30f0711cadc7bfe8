#include "negotiated.hpp"

#include "printable.hpp"

namespace cotls::tool {

std::string negotiated(connection_info const& info) {
  std::string text = info.version + ", " + info.suite;
  if (!info.group.empty()) text += ", " + info.group;
  if (!info.alpn.empty()) text += ", ALPN " + printable(info.alpn);
  if (info.resumed) text += ", resumed";
  return text;
}

}  // namespace cotls::tool
