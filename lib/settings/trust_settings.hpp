#pragma once

#include <cotls/certificate.hpp>
#include <cotls/revocation_options.hpp>

#include "settings/setting.hpp"
#include "trust/roots.hpp"

#include <openssl/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cotls::detail {

/** Which roots are trusted, and the revocation lists that are heeded. */
class trust_settings {
 public:
  /** Reads a PEM file, and checks a hashed directory; either path may be empty.
      @par Errors errc::no_certificate_found, the system's */
  void load(std::filesystem::path const& file, std::filesystem::path const& directory);

  /** @par Errors errc::no_certificate_found */
  void add(std::string_view pem);
  void add(certificate const& root) { sources_.emplace_back(one_root(root)); }

  void trust_system(bool value = true) noexcept { system_ = value; }
  bool trusts_system() const noexcept { return system_; }

  void set_revocation(revocation_options const& policy) { revocation_.set(policy); }

  /** True when nothing was set: neither roots nor lists, nor how these are heeded. */
  bool empty() const noexcept { return sources_.empty() && !revocation_.is_set(); }
  bool has_roots() const noexcept;

  /** @param applied  What the context has of it already. */
  void apply_to(SSL_CTX* context, trust_settings const& applied) const;

  bool operator==(trust_settings const&) const = default;

 private:
  struct hashed_directory {
    std::filesystem::path path;
    bool has_lists;   // when it was loaded
    bool operator==(hashed_directory const&) const = default;
  };
  struct one_root {
    explicit one_root(cotls::certificate const& given) : certificate(given) {}
    cotls::certificate certificate;
    bool operator==(one_root const& other) const noexcept;
  };
  using pem = std::shared_ptr<authorities const>;
  using source = std::variant<pem, one_root, hashed_directory>;

  static bool is_roots(source const& one) noexcept;

  std::vector<source> sources_;
  setting<revocation_options> revocation_;
  bool system_ = false;
};

}  // namespace cotls::detail
