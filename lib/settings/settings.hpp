#pragma once

#include "settings/algorithm_settings.hpp"
#include "settings/alpn_settings.hpp"
#include "settings/identity_settings.hpp"
#include "settings/peer_settings.hpp"
#include "settings/record_settings.hpp"
#include "settings/session_settings.hpp"
#include "settings/setting.hpp"
#include "settings/trust_settings.hpp"

namespace cotls::detail {

/** What a program has set of a context: values, each of which checks itself, is copied and
    compared, and is applied to an SSL_CTX. What was not set leaves the context as it is. */
struct settings {
  algorithm_settings algorithms;
  identity_settings identity;
  trust_settings trust;
  peer_settings peer;
  setting<alpn_settings> alpn;
  session_settings sessions;
  record_settings records;

  bool operator==(settings const&) const = default;
};

}  // namespace cotls::detail
