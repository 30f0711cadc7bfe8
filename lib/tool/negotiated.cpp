#include "negotiated.hpp"

#include "printable.hpp"

namespace cotls::tool {

std::string negotiated(connection_info const& info) {
  std::string text = info.version + ", " + info.suite;
  if (!info.group.empty()) text += ", " + info.group;
  if (!info.alpn.empty()) text += ", ALPN " + printable(info.alpn);
  if (info.resumed) text += ", resumed";
  switch (info.early_data) {
    case early_data::none: break;
    case early_data::accepted: text += ", early data accepted"; break;
    case early_data::rejected: text += ", early data rejected"; break;
    case early_data::sent_late: text += ", early data sent late"; break;
  }
  return text;
}

}  // namespace cotls::tool
