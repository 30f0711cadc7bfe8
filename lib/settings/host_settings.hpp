#pragma once

#include <cotls/unknown_host.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace cotls::detail {

class context_state;

/** The hosts that a server serves beside its own, each by a context of its own (RFC 6066
    section 3). */
class host_settings {
 public:
  using host = std::shared_ptr<context_state>;

  /** @param name  A DNS name, or one whose leftmost label is `*`, for which any label stands.
      @par Errors errc::invalid_host_name */
  void add(std::string_view name, host served);

  void set_unknown(unknown_host policy) noexcept { unknown_ = policy; }
  unknown_host unknown() const noexcept { return unknown_; }

  bool empty() const noexcept { return exact_.empty() && wildcards_.empty(); }

  /** Returns the host of a name in small letters, as a `client_hello` has it: the one of exactly
      that name, or else of a wildcard; null when there is none. */
  host find(std::string_view name) const;

  template <class Function>
  void for_each(Function const& call) const {
    for (auto const& each : exact_) call(each.second);
    for (auto const& each : wildcards_) call(each.second);
  }

  bool operator==(host_settings const&) const = default;

 private:
  struct hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using by_name = std::unordered_map<std::string, host, hash, std::equal_to<>>;

  static host find_in(by_name const& hosts, std::string_view name);

  by_name exact_;
  by_name wildcards_;   // by what is behind the first dot
  unknown_host unknown_ = unknown_host::serve;
};

}  // namespace cotls::detail
