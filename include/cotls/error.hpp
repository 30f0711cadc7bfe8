#pragma once

#include <cotls/detail/error/configuration.hpp>
#include <cotls/status.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace cotls {

using boost::system::error_code;

/** Failures that are the caller's to mend, or a limit of ours that was reached.

    Those that end in `_timeout` compare equal to `boost::system::errc::timed_out`.
*/
enum class errc {
  context_sealed = 1,     ///< A setting was changed after the context's first use.
  no_host_name,           ///< Verification is on, and no host name was given to verify.
  invalid_port,           ///< A port outside 1 to 65535.
  invalid_host_name,      ///< A text that is neither a DNS name nor an IP address.
  unsupported_protocol,   ///< This OpenSSL cannot speak the protocol asked for.
  no_certificate,         ///< A server has no certificate chain or no private key.
  key_mismatch,           ///< The private key does not belong to the certificate.
  wrong_chain_order,      ///< The private key belongs to a certificate behind the chain's first.
  no_certificate_found,   ///< The input holds no certificate in the format asked for.
  no_private_key_found,   ///< The input holds no private key of the kind and format asked for.
  invalid_alpn_protocol,  ///< An ALPN protocol name is empty or longer than 255 bytes.
  stream_truncated,       ///< The transport ended without the peer's close_notify.
  handshake_truncated,    ///< The transport ended inside the handshake.
  operation_in_progress,  ///< An operation of the same kind is still pending.
  write_after_close,      ///< A write after close_notify was sent.
  not_connected,          ///< The object is empty: moved from, or never connected.
  connect_timeout,        ///< The deadline for connecting passed before an address had answered.
  handshake_timeout,      ///< The deadline for the handshake, or for the whole connect, passed.
  shutdown_timeout,       ///< The peer's close_notify did not arrive before the deadline.
  not_over,               ///< The transport is still in use by TLS.
  read_ahead,             ///< Bytes behind the end of TLS have been read ahead.
  unexpected_result,      ///< OpenSSL asked for something that this operation cannot give.
  no_roots,               ///< A server verifies its clients, and no roots were loaded.
  password_required,      ///< The private key is encrypted, and no password was given.
  wrong_password,         ///< The password does not decrypt the private key.
  invalid_setting,        ///< OpenSSL does not know the value of a setting.
  overloaded,             ///< A listener closed the connection at once: it has too many handshakes.
  displaced,              ///< A listener dropped the handshake to make room for a newer connection.
  client_hello_too_long,  ///< A client's first message is longer than the server takes.
  unread_data,            ///< Data of the peer's has to be read first, early data perhaps.
  handshake_not_done,     ///< Keys were asked for before there were any.
  no_extended_master_secret,  ///< TLS 1.2 without RFC 7627: keys of it prove nothing.
  no_channel_binding,     ///< This kind of channel binding is not defined for the connection.
  peer_not_allowed,       ///< A hook of the program's has refused the peer.
  no_pinned_key,          ///< The server's chain has no key of `client_context::set_pins`.
  unserved_host,          ///< A client asked for a host that this server does not serve.
  needs_tls_1_3,          ///< Asked of a connection of TLS 1.2, which has no such thing.
  invalid_ocsp_response,  ///< An OCSP response is none, has expired, or is of another certificate.
  no_ocsp_response,       ///< A server sent no OCSP response, and must.
  hook_failed,            ///< A hook of the program's has thrown an exception.
  nothing_asked,          ///< An engine was given an answer to no question.
  answer_abandoned,       ///< The operation ended while a hook of the program's was at work.
  invalid_session,        ///< The bytes are no session of this version, or are damaged.
  session_expired,        ///< A session is too old to be resumed.
  invalid_ticket_keys,    ///< The bytes are no ticket keys of this version, or are damaged.
  no_public_key_found,    ///< The input holds no public key in PEM.
  unsupported_key,        ///< The public key is of a kind that cannot sign in TLS.
  signer_failed,          ///< The signer of a key elsewhere has not signed; its reason is in the text.
};

/** The alerts a peer can send (RFC 8446 section 6, RFC 5246 section 7.2), by their wire values.

    As an `error_code` it says: the peer refused or ended the connection, and this is its reason.
*/
enum class alert : std::uint8_t {
  close_notify = 0,
  unexpected_message = 10,
  bad_record_mac = 20,
  record_overflow = 22,
  handshake_failure = 40,
  no_certificate = 41,
  bad_certificate = 42,
  unsupported_certificate = 43,
  certificate_revoked = 44,
  certificate_expired = 45,
  certificate_unknown = 46,
  illegal_parameter = 47,
  unknown_ca = 48,
  access_denied = 49,
  decode_error = 50,
  decrypt_error = 51,
  protocol_version = 70,
  insufficient_security = 71,
  internal_error = 80,
  inappropriate_fallback = 86,
  user_canceled = 90,
  no_renegotiation = 100,
  missing_extension = 109,
  unsupported_extension = 110,
  unrecognized_name = 112,
  bad_certificate_status_response = 113,
  unknown_psk_identity = 115,
  certificate_required = 116,
  no_application_protocol = 120,
};

/** Returns the category of `errc`; its messages say the remedy. */
boost::system::error_category const& cotls_category() noexcept;

/** Returns the category of `alert`: refusals that arrived from the peer. */
boost::system::error_category const& alert_category() noexcept;

/** Returns the category of OpenSSL's own errors.

    The value is OpenSSL's packed code (`ERR_GET_LIB`, `ERR_GET_REASON` take it apart).
*/
boost::system::error_category const& openssl_category() noexcept;

error_code make_error_code(errc value) noexcept;
error_code make_error_code(alert value) noexcept;

namespace detail {

/// All that is known of a failure beside its error code. Filled by the one caller of OpenSSL.
struct failure {
  cotls::status status = cotls::status::unclassified;
  int verify_result = 0;        ///< `X509_V_…`; 0 when verification is not the reason.
  int verify_depth = 0;         ///< Where in the chain: 0 is the peer's own certificate.
  bool certificate_missed = false;   ///< The peer asked for a certificate, and we showed none.
  std::string verify_subject;   ///< The refused certificate's subject, RFC 2253 style.
  std::string remark;           ///< What else is to be said of it, in words.
  std::string openssl_stack;    ///< One line an entry, oldest first.
  std::string context;          ///< What was tried: `"handshake with localhost:443"`.
};

}  // namespace detail

/** A failure with everything that is known of it; what this library throws.

    `what()` reads like `handshake with localhost:443 failed: the peer's certificate has expired
    (depth 0, CN=localhost) [ssl: certificate verify failed]`.
*/
class error : public boost::system::system_error {
 public:
  explicit error(error_code code, detail::failure known = {});

  // Copied where it could be moved: one that was moved from still says what it said.
  error(error const&) = default;
  error& operator=(error const&) = default;
  ~error() override = default;

  /** Returns the whole text: what was tried, why it failed and where, and the code's name. */
  char const* what() const noexcept override;

  /** Returns how OpenSSL classified the failed call. */
  cotls::status status() const noexcept;

  /** Returns the alert that arrived from the peer, if that is what ended the connection. */
  std::optional<cotls::alert> alert() const noexcept;

  /** Returns OpenSSL's verification result (`X509_V_…`); 0 if verification did not fail. */
  int verify_result() const noexcept;

  /** Returns OpenSSL's whole error stack, a line an entry, oldest first; may be empty. */
  std::string const& openssl_stack() const& noexcept;
  std::string openssl_stack() && { return openssl_stack(); }   // of one that is about to go

 private:
  struct record;
  std::shared_ptr<record const> record_;   // shared: an exception copies without throwing
};

}  // namespace cotls

template <>
struct boost::system::is_error_code_enum<cotls::errc> : std::true_type {};
template <>
struct boost::system::is_error_code_enum<cotls::alert> : std::true_type {};
