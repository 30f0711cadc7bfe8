#pragma once

#include <cotls/error.hpp>

#include <string>

namespace cotls::detail {

/// An enumerator's spelling and its meaning in words.
struct description {
  char const* name;
  char const* text;
};

description describe(errc value) noexcept;
description describe(alert value) noexcept;

/** Returns what OpenSSL says of one of its packed codes. */
std::string openssl_reason(int value);

/** Says of failures that people meet often what to look at; null for others. */
char const* familiar_reason(int value) noexcept;

/** Says why a certificate was refused (`X509_V_ERR_…`), by where it is in its chain. */
std::string verification_reason(int result, int depth);

}  // namespace cotls::detail
