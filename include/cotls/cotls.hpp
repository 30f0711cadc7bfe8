#pragma once

// All of it but ssl_stream.hpp, which replaces Asio's stream, and teardown.hpp, for Boost.Beast. Where
// to begin:
//
//   connect.hpp, listener.hpp   a connection to a host, and from one; their options are beside them
//   stream.hpp                  what both give: reading, writing, the end
//   context.hpp                 what connections have in common; identity.hpp: certificates and keys
//   error.hpp                   what may go wrong
//   incoming.hpp                a context for each host, chosen by the client's hello
//   blocking.hpp                the same without coroutines, and as std::istream and std::ostream
//   engine.hpp                  TLS without a socket

#include <cotls/address_family.hpp>
#include <cotls/basic_context.hpp>
#include <cotls/blocking.hpp>
#include <cotls/certificate.hpp>
#include <cotls/certificate_query.hpp>
#include <cotls/channel_binding_kind.hpp>
#include <cotls/client_hello.hpp>
#include <cotls/connect.hpp>
#include <cotls/connection_info.hpp>
#include <cotls/context.hpp>
#include <cotls/early_data.hpp>
#include <cotls/engine.hpp>
#include <cotls/error.hpp>
#include <cotls/halves.hpp>
#include <cotls/hello_answer.hpp>
#include <cotls/identity.hpp>
#include <cotls/incoming.hpp>
#include <cotls/key_pin.hpp>
#include <cotls/key_update.hpp>
#include <cotls/library_options.hpp>
#include <cotls/listener.hpp>
#include <cotls/listener_options.hpp>
#include <cotls/ocsp.hpp>
#include <cotls/policy.hpp>
#include <cotls/private_key.hpp>
#include <cotls/protocol.hpp>
#include <cotls/protocol_version.hpp>
#include <cotls/reload_options.hpp>
#include <cotls/revocation_options.hpp>
#include <cotls/session.hpp>
#include <cotls/session_file.hpp>
#include <cotls/session_store.hpp>
#include <cotls/signer.hpp>
#include <cotls/status.hpp>
#include <cotls/stream.hpp>
#include <cotls/suite_order.hpp>
#include <cotls/ticket_key_options.hpp>
#include <cotls/ticket_keys.hpp>
#include <cotls/traced_message.hpp>
#include <cotls/verification.hpp>
#include <cotls/version.hpp>
