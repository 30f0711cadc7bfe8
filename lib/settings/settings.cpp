#include "settings/settings.hpp"

namespace cotls::detail {

void settings::apply_to(SSL_CTX* context, role end, bool adopted, settings& applied) const {
  algorithms.apply_to(context, applied.algorithms);
  applied.algorithms = algorithms;
  trust.apply_to(context, applied.trust);
  applied.trust = trust;
  peer.apply_to(context, end, applied.peer);
  applied.peer = peer;
  if (alpn.set_since(applied.alpn)) alpn.value().apply_to(context, end);
  applied.alpn = alpn;
  sessions.apply_to(context, end, adopted, applied.sessions);
  applied.sessions = sessions;
  if (key_log.set_since(applied.key_log)) key_log.value().apply_to(context);
  applied.key_log = key_log;
  if (trace.set_since(applied.trace)) trace.value().apply_to(context);
  applied.trace = trace;
  ocsp.apply_to(context, applied.ocsp);
  applied.ocsp = ocsp;
  records.apply_to(context, end, applied.records);
  applied.records = records;
  applied.hosts = hosts;   // of which an SSL_CTX knows nothing
}

}  // namespace cotls::detail
