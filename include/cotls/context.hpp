#pragma once

#include <cotls/alpn_mismatch.hpp>
#include <cotls/basic_context.hpp>
#include <cotls/client_hello.hpp>
#include <cotls/early_data.hpp>
#include <cotls/hello_answer.hpp>
#include <cotls/key_pin.hpp>
#include <cotls/library_options.hpp>
#include <cotls/ocsp.hpp>
#include <cotls/protocol.hpp>
#include <cotls/session.hpp>
#include <cotls/session_store.hpp>
#include <cotls/suite_order.hpp>
#include <cotls/ticket_keys.hpp>
#include <cotls/unknown_host.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace boost::asio::ssl {
class context;
}

namespace cotls {

/** The configuration of clients. Verifies the server's chain and host name by default. */
class client_context : public basic_context<client_context> {
 public:
  /** Not explicit: where a context is taken, so is the word for its protocol.
      @par Errors `errc::unsupported_protocol` */
  client_context(protocol versions = protocol::secure);

  /** Makes a context that has its algorithms from elsewhere than OpenSSL's default.
      @par Errors `errc::unsupported_protocol`; `errc::invalid_setting` when there are none with
      these properties. */
  explicit client_context(library_options const& from, protocol versions = protocol::secure);

  /** Adopts a context, as it is: its verify mode, its roots and its options included. Nothing is
      loaded by default, and nothing is missed before its use: neither roots nor a host to verify. A
      certificate it holds already stays beside one that is loaded later for a key of another type.
      @par Errors `asio::error::invalid_argument` for one that was moved from */
  explicit client_context(boost::asio::ssl::context&& adopted);

  /** Offers these protocols, the preferred one first (RFC 7301); an empty list offers none.
      `connect_options::alpn` overrides it for one connection. (`SSL_CTX_set_alpn_protos`)
      @par Errors `errc::invalid_alpn_protocol` */
  client_context& set_alpn(std::vector<std::string> const& protocols);

  /** Remembers sessions of this many servers, those used last, and at most four of each, for 7 days
      at the most (RFC 8446 section 4.6.1); 256 servers by default, 0: none. `async_connect` and
      `blocking::connect` resume them, and so does what is given a `client_options::port`.

      They are shared by the copies of the context and by nobody else. A session is offered to the
      host and port alone that it was made with; one of an address with a zone is not kept. Where
      servers are verified, it is kept only of a connection that was, and the chain of that one is
      verified once more before the session is offered: what would be refused today is forgotten,
      and the handshake is a full one. An adopted context has none.
      @par Errors `errc::invalid_setting` for an adopted context. */
  client_context& set_session_cache(std::size_t servers);

  /// Is told of a session.
  using session_observer_type = std::function<void(session const& given)>;

  /** Tells a function of each session that a server gives: to keep it beyond the end of the
      process, or to have others resume it. In TLS 1.3 sessions come behind the handshake, and are
      noticed by reads (RFC 8446 section 4.6.1); there may be none, or several. Not told of are
      those that `set_session_cache` would not keep either, of connections without a host or that
      should have been verified and were not. An empty function: nobody is told.
      (`SSL_CTX_sess_set_new_cb`)
      @param told  Called by whatever thread reads from the connection, several at once, in the
                   middle of its calls: it must not use the connection. It outlives the context's
                   connections; what it throws is swallowed.
      @par Errors `errc::invalid_setting` for an adopted context. */
  client_context& on_session(session_observer_type told);

  /** Keeps sessions in a store instead of this context's memory, and resumes those that it has, of
      the same servers and under the same conditions (`session`). A connection with a host and a
      port asks it before its handshake, unless it was given a session (`client_options::session`);
      what servers give is put there.
      @par Errors `errc::invalid_setting` for an adopted context. */
  client_context& set_session_store(session_store store);

  /** Talks to a server only if its verified chain, from its own certificate to the root, has a
      certificate with one of these keys (RFC 7469 section 2.6); otherwise the handshake fails with
      `errc::no_pinned_key`, whose text says which keys there are. On resumption it is the chain
      that the session was made with, as it is verified then.

      Give at least one more than is in use, of a key that is kept elsewhere: with a lone pin, a key
      that is lost ends all connections (RFC 7469 section 4.3). Replaces the pins that were set
      before.
      @par Errors `errc::invalid_setting` for no pin at all, for a malformed one (`key_pin`), and at
      the context's first use where nothing is verified. */
  client_context& set_pins(std::vector<key_pin> pins);

  /** Asks servers for records of no more plaintext than 512, 1024, 2048 or 4096 bytes (RFC 6066
      section 4), and sends none with more to those that agree; 0, the default, asks for nothing. A
      server that does not know the extension sends what it likes.
      (`SSL_CTX_set_tlsext_max_fragment_length`)
      @par Errors `errc::invalid_setting` for another number. */
  client_context& set_max_fragment_length(std::size_t bytes);

  /** Asks the server for an OCSP response of its authority's (RFC 6066 section 8), which says that
      its certificate was not revoked. `ocsp::none` by default. (`SSL_CTX_set_tlsext_status_type`)

      What comes must say so of the server's own certificate, be signed by the authority that has
      issued it, or by whom that one has allowed to (RFC 6960 section 4.2.2.2), and be of today, as
      of `set_verify_time`: up to 5 minutes of two clocks' difference are taken. Otherwise the
      handshake fails: with "was revoked", or with `errc::invalid_ocsp_response`, whose text says
      what is wrong. Where none comes, `ocsp::require` fails with `errc::no_ocsp_response`, and so
      does `ocsp::ask` for a certificate that must have one ("must-staple", RFC 7633). A session
      that is resumed counts on the response of the connection that it is from.
      @par Errors At the context's first use, `errc::invalid_setting` where nothing is verified. */
  client_context& set_ocsp(ocsp wanted);

  /** Lets the program choose the certificate that a server is shown which asks for one, told what the
      server takes. It is a hook: it may be a coroutine. Null leaves the choice to the context
      (`also_use`). (`SSL_CTX_set_cert_cb`)
      @param decides  `certificate_answer(certificate_query const& asked)`, or an awaitable of it. */
  template <detail::hook_for<certificate_answer, certificate_query const&> Decides>
  client_context& on_certificate_request(Decides decides) {
    do_on_certificate(
        "on_certificate_request",
        detail::make_hook<certificate_answer, certificate_query const&>(std::move(decides)));
    return *this;
  }
};

/** The configuration of servers. A server with no certificate chain and key cannot be used
    (`errc::no_certificate`), nor one that verifies its clients and was given no roots
    (`errc::no_roots`).

    A server that verifies its clients verifies their chains once more before it resumes a session:
    one that would be refused today gets a full handshake, in which it is. */
class server_context : public basic_context<server_context> {
 public:
  /** Not explicit, as `client_context`'s.
      @par Errors `errc::unsupported_protocol` */
  server_context(protocol versions = protocol::secure);

  /** Makes a context that has its algorithms from elsewhere, as `client_context`'s. */
  explicit server_context(library_options const& from, protocol versions = protocol::secure);

  /** Adopts a context, as it is. What a server must have is not asked of it. A client that it
      resumes was verified when its session was made, and not again.
      @par Errors `asio::error::invalid_argument` for one that was moved from */
  explicit server_context(boost::asio::ssl::context&& adopted);

  server_context(server_context const&) = default;
  server_context(server_context&&) = default;

  /** Not for a temporary: `listener.context() = other` would change nothing. */
  server_context& operator=(server_context const&) & = default;
  server_context& operator=(server_context&&) & = default;

  /** Chooses among the client's protocols the first of these that it offers (RFC 7301 section 3.2).
      A client that offers others only is refused, unless the policy says otherwise; one that offers
      none is not. An empty list chooses nothing, for nobody. (`SSL_CTX_set_alpn_select_cb`)
      @par Errors `errc::invalid_alpn_protocol` */
  server_context& set_alpn(std::vector<std::string> const& protocols,
                           alpn_mismatch policy = alpn_mismatch::refuse);

  /** Gives each client so many session tickets to resume with (RFC 8446 section 4.6.1): 1 by
      default, more for clients that open several connections at once, 0: none. Of TLS 1.2 it says
      whether there are any; with none, nobody resumes. Otherwise clients of TLS 1.2 that take no
      tickets resume by a number, of which the newest 1,024 are known. (An adopted context keeps
      those by its own session cache mode, whatever the count.)
      (`SSL_CTX_set_num_tickets`, `SSL_OP_NO_TICKET`) */
  server_context& set_session_tickets(std::size_t count);

  /** Encrypts session tickets with these keys instead of the context's own, which change every 12
      hours, or every half of the sessions' lifetime when that is longer, and are nobody else's.

      Contexts with the same keys, of other processes, too, resume each other's sessions if their
      (first) certificates are for the same names, whatever else they have; what a client was
      verified by is verified once more, by the one that resumes it. An adopted context keeps its
      session id context, by which OpenSSL tells whose sessions are whose.
      (`SSL_CTX_set_tlsext_ticket_key_evp_cb`, `SSL_CTX_set_session_id_context`)
      @par Errors At the context's first use, `errc::invalid_setting` for keys that decrypt for a
      shorter time (`ticket_keys::lasting`) than sessions last. */
  server_context& set_ticket_keys(ticket_keys keys);

  /** Lets sessions be resumed for so long, from a second to 7 days (RFC 8446 section 4.6.1), from
      the full handshake on that they go back to, however often they were renewed since: 24 hours by
      default. It is the clock of `set_verify_time` that counts. (`SSL_CTX_set_timeout`)
      @par Errors `errc::invalid_setting` for another time, and for an adopted context. */
  server_context& set_session_lifetime(std::chrono::seconds time);

  /** Keeps sessions in a store instead of in tickets: clients get a number, by which the session is
      found again, by this context and by those with the same store whose (first) certificate is for
      the same names. One of TLS 1.3 is resumed once. The store is asked when a client's hello is
      here that offers a number of ours, and before OpenSSL has heard of it; what it has is verified
      as tickets are.
      @par Errors `errc::invalid_setting` for an adopted context; at the context's first use, beside
      ticket keys or without tickets (`set_session_tickets(0)`). An engine over an adopted BIO
      cannot hold a hello back: making it throws `errc::invalid_setting`. */
  server_context& set_session_store(session_store store);

  /** Takes what clients send together with their hello when they resume a session (0-RTT, RFC 8446
      section 2.3), where the program reads it (`stream::async_read_early`, or a listener with
      `listener_options::early_data`); from others it is rejected, and their handshake goes on. Off
      by default, and not for every protocol: **someone in the middle can hold it back, and deliver
      it after the client has tried again**. The protocol above says what may be done with it (RFC
      8470 for HTTP).

      So that nobody's is taken twice, each session of the context is resumed once: clients get a
      number instead of a ticket, of which the newest 16,384 are known (about 1.5 kB each), or those
      of the session store, which counts for all who share it if it gives a session once. A client
      whose session is unknown, or whose hello comes more than 10 seconds later than it says, has its
      data rejected (RFC 8446 section 8).

      Nobody has had the last word on the connection when it is read: a context that has one
      (`on_established`, `on_verify`, pins) needs a rule for early data, too.
      (`SSL_CTX_set_max_early_data`, `SSL_OP_NO_TICKET`)
      @par Errors `errc::invalid_setting` for a size that is out of range and for an adopted
      context; at the context's first use, beside `set_ticket_keys` or `set_session_tickets(0)`, and
      beside a last word without a rule. */
  server_context& set_early_data(early_data_options how = early_data_options());

  /** Sends the first bytes of each response in small records, so that the client can begin with
      them while the rest is on its way: of a record nothing can be read before all of it has
      arrived (RFC 8446 section 5.2). The first one written at the beginning, and after data of the
      client's was read, fits a packet (1,369 bytes), each further one is twice as long, and behind
      20,535 bytes they are full. A call without an argument switches it on.

      Off by default. At 1 Mbit/s the first byte comes up to 130 ms earlier, and at any speed a
      round trip earlier where a full record is longer than the congestion window, which is 10
      segments after a pause (RFC 6928). Over a near and fast link it is only a cost: up to three
      records more for each response, felt most at 10 to 16 kB. */
  server_context& set_small_first_records(bool on = true);

  /** Takes no longer ClientHello than this, without the headers of its message and records: from 1
      to 131,396 bytes, which is OpenSSL's own limit; 16 KiB by default. A client that claims more
      is refused with the alert illegal_parameter (`errc::client_hello_too_long`).

      Until a hello is whole a server holds what has come of it, and nothing else: a client that
      drips costs no more than it sends. A second one, after a HelloRetryRequest, has OpenSSL's
      limit. A ticket has no more of a client's certificates than leaves it room in a hello.
      @par Errors `errc::invalid_setting` */
  server_context& set_max_client_hello(std::size_t bytes);

  /** Says whose order of suites counts; `suite_order::server_but_chacha` by default.
      (`SSL_OP_CIPHER_SERVER_PREFERENCE`, `SSL_OP_PRIORITIZE_CHACHA`) */
  server_context& set_suite_order(suite_order whose);

  /** Lets clients of TLS 1.2 exchange keys by Diffie-Hellman over finite fields, where suites for
      it are listed (`set_ciphers("DHE+AESGCM")`), with a group as strong as the certificate's key. Off
      by default: it is slower than with elliptic curves, for both ends. (`SSL_CTX_set_dh_auto`) */
  server_context& set_dh_auto(bool on = true);

  /** Serves another host by a context of its own (SNI, RFC 6066 section 3): every setting of that
      one applies, its certificate, what it asks of clients, its versions, suites, groups, ALPN,
      sessions and records, as if the client had come to it. It is chosen when the client's hello is
      here and before OpenSSL has heard of it, for listeners, streams, engines and `blocking` alike,
      among any number of hosts in the same time. Of this context only the time limits of its users
      and `set_max_client_hello` come before.

      It is sealed with this one, and may serve several; hosts are added to a running listener by
      `replace_context`. What was set on a connection before its handshake, `set_verify_mode` and the
      like of `ssl_stream`, stays; what was set through its native handle goes.
      @param name  A DNS name in ASCII (A-labels), or `*.` and one: any one label stands for the
                   asterisk. An exact name goes before; one that is given again is replaced.
      @par Errors `errc::invalid_host_name`; `errc::invalid_setting` for this context itself, and for
      one that has virtual hosts. An engine over an adopted BIO cannot choose: making it throws
      `errc::invalid_setting`. */
  server_context& add_virtual_host(std::string_view name, server_context const& host);

  /** Says what becomes of clients that ask for none of the hosts; `unknown_host::serve` by default.
      A context that has hosts and refuses others needs no certificate of its own.
      Their handshake fails with `errc::unserved_host`. */
  server_context& set_unknown_host(unknown_host policy);

  /** Names the authorities of a PEM file, in its order, in the certificate requests sent to
      clients, as a hint which certificate to choose (RFC 8446 section 4.2.4). May be called several
      times. Nothing is trusted by it: that is what `load_verify_roots` does.
      (`SSL_CTX_add_client_CA`)
      @par Errors The system's error when the file cannot be read, `errc::no_certificate_found`. */
  server_context& load_suggested_authorities(std::filesystem::path const& file);

  /** Sends clients that ask for it an OCSP response of the authority's, which says that the
      server's certificate was not revoked (RFC 6066 section 8). Replaces the one that was set
      before. It is left out once it has expired, as of `set_verify_time`: renew it, in a context of
      its own, before its time is over. (`SSL_set_tlsext_status_ocsp_resp`)
      @param der  As the authority's responder sends it (RFC 6960 section 4.2.1).
      @par Errors `errc::invalid_ocsp_response`, saying why: it is none, or says that the responder
      has failed, or it has no end; at the context's first use, when it is of another certificate
      than the server's. */
  server_context& set_ocsp_response(std::string_view der);

  /** The same from a file. @par Errors Also the system's error when it cannot be read. */
  server_context& load_ocsp_response(std::filesystem::path const& file);

  /** Asks the program what becomes of a client, by its hello, before OpenSSL has heard of it: another
      context serves it, this one does, or an alert refuses it. It is a hook: it may be a coroutine.
      Of each connection it is asked once, whether it resumes a session or not, also where the client
      has to send another hello (RFC 8446 section 4.1.4). Virtual hosts are looked up when it leaves
      the choice to this context. Null asks nobody.

      Of this context only the time limits of its users and `set_max_client_hello` come before. What
      was set on a connection before its handshake stays as `add_virtual_host` says.
      @param decides  `hello_answer(client_hello const& heard)`, or an awaitable of it.
      @par Errors An engine over an adopted BIO cannot hold a hello back: making it throws
      `errc::invalid_setting`. */
  template <detail::hook_for<hello_answer, client_hello const&> Decides>
  server_context& on_client_hello(Decides decides) {
    do_on_client_hello(detail::make_hook<hello_answer, client_hello const&>(std::move(decides)));
    return *this;
  }

  /** Lets the program choose the certificate that a client is shown, when version and algorithms are
      known: not where a session is resumed. It is a hook: it may be a coroutine. Null shows what the
      context has; with a hook, it need not have any. (`SSL_CTX_set_cert_cb`)
      @param decides  `certificate_answer(certificate_query const& asked)`, or an awaitable of it. */
  template <detail::hook_for<certificate_answer, certificate_query const&> Decides>
  server_context& on_certificate(Decides decides) {
    do_on_certificate(
        "on_certificate",
        detail::make_hook<certificate_answer, certificate_query const&>(std::move(decides)));
    return *this;
  }

 private:
  void do_on_client_hello(detail::hook<hello_answer, client_hello const&> decides);
};

}  // namespace cotls
