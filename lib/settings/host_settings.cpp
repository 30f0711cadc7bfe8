#include "settings/host_settings.hpp"

#include "error/fail.hpp"
#include "identity/host_name.hpp"

#include <cotls/error.hpp>

#include <utility>

namespace cotls::detail {

namespace {

std::string in_small_letters(std::string name) {
  for (char& each : name) {
    if (each >= 'A' && each <= 'Z') each = static_cast<char>(each - 'A' + 'a');
  }
  return name;
}

}  // namespace

void host_settings::add(std::string_view name, host served) {
  constexpr std::string_view any = "*.";
  bool const wildcard = name.starts_with(any);
  auto const read = host_name::parse(wildcard ? name.substr(any.size()) : name);
  // RFC 6066 section 3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"."
  if (!read || read->address()) {
    fail(errc::invalid_host_name, "add_virtual_host(\"" + std::string(name) + "\")");
  }
  by_name& among = wildcard ? wildcards_ : exact_;
  among.insert_or_assign(in_small_letters(read->name()), std::move(served));
}

host_settings::host host_settings::find(std::string_view name) const {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (auto found = find_in(exact_, name)) return found;
  auto const dot = name.find('.');
  return dot == name.npos || dot == 0 ? nullptr : find_in(wildcards_, name.substr(dot + 1));
}

host_settings::host host_settings::find_in(by_name const& hosts, std::string_view name) {
  auto const found = hosts.find(name);
  return found == hosts.end() ? nullptr : found->second;
}

}  // namespace cotls::detail
