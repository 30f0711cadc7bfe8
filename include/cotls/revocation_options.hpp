#pragma once

namespace cotls {

/** How revocation lists are heeded (`context::set_revocation`). A certificate that a list names is
    refused whatever is said here. */
class revocation_options {
 public:
  revocation_options() {}

  /** Each certificate of a chain must have a list of its issuer's, and not only the peer's own: all
      but the root, or what else is itself trusted. Lists are then required though none was loaded.
      Off by default. */
  revocation_options& whole_chain(bool value = true) noexcept {
    whole_chain_ = value;
    return *this;
  }

  /** A certificate whose issuer has no list passes. Off by default. */
  revocation_options& allow_missing(bool value = true) noexcept {
    allow_missing_ = value;
    return *this;
  }

  /** A list that has expired counts as if it had not. Off by default. */
  revocation_options& allow_expired(bool value = true) noexcept {
    allow_expired_ = value;
    return *this;
  }

  bool whole_chain() const noexcept { return whole_chain_; }
  bool allow_missing() const noexcept { return allow_missing_; }
  bool allow_expired() const noexcept { return allow_expired_; }

  bool operator==(revocation_options const&) const = default;

 private:
  bool whole_chain_ = false;
  bool allow_missing_ = false;
  bool allow_expired_ = false;
};

}  // namespace cotls
