#pragma once

#include "settings/algorithm_settings.hpp"
#include "settings/alpn_settings.hpp"
#include "settings/hook_settings.hpp"
#include "settings/host_settings.hpp"
#include "settings/identity_settings.hpp"
#include "settings/key_log_settings.hpp"
#include "settings/ocsp_settings.hpp"
#include "settings/peer_settings.hpp"
#include "settings/record_settings.hpp"
#include "settings/session_settings.hpp"
#include "settings/setting.hpp"
#include "settings/trace_settings.hpp"
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
  setting<key_log_settings> key_log;
  setting<trace_settings> trace;
  ocsp_settings ocsp;
  host_settings hosts;
  hook_settings hooks;

  /** Applies what was set since, and nothing else, for the program may have changed the rest of a
      context that was lent. The identity waits until the context is sealed.
      @param adopted  The context is an adopted one.
      @param applied  What the context has of it already; is brought up to date, section by section,
                      so that one that throws is not taken for applied. */
  void apply_to(SSL_CTX* context, role end, bool adopted, settings& applied) const;

  bool operator==(settings const&) const = default;
};

}  // namespace cotls::detail
