#pragma once

#include <cotls/certificate_query.hpp>
#include <cotls/connection_info.hpp>
#include <cotls/detail/support/access.hpp>
#include <cotls/detail/support/hook.hpp>
#include <cotls/identity.hpp>
#include <cotls/peer_info.hpp>
#include <cotls/policy.hpp>
#include <cotls/protocol_version.hpp>
#include <cotls/revocation_options.hpp>
#include <cotls/traced_message.hpp>
#include <cotls/verification.hpp>
#include <cotls/verify.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

struct ssl_ctx_st;

namespace boost::asio::ssl {
class context;
}

namespace cotls {

namespace detail {
class context_state;
}

/** What `client_context` and `server_context` have in common.

    A context is mutable until its first use: the first stream or engine made from it, or a
    listener's first accept, seals it, and every setter after that throws `errc::context_sealed`
    (OpenSSL would apply a late change by halves). Copies are cheap and share one context: to change
    a configuration, make a new one.

    Hooks (`on_verify`, `on_established`, and those of `client_context` and `server_context`) are
    functions that a handshake asks. One returns its answer, or is a coroutine: an
    `asio::awaitable` of the answer, which runs on the stream's executor while the handshake waits,
    under the deadline and the cancellation of the operation, which end it. (A blocking operation
    runs it on the calling thread; of an engine, its user does, `engine::answer`.) What it is shown
    lives as long as it runs. An exception refuses the handshake with `errc::hook_failed` and the
    alert internal_error; its text is in the error's. When the operation was cancelled meanwhile, the
    handshake has failed, with `errc::answer_abandoned`.

    @par Concurrency A sealed context may be used from any number of threads. Setters are not safe
    beside anything else. Hooks and other functions that were set are called by whatever threads
    perform handshakes, perhaps by several at once.
    @par Exception safety A setter that throws leaves the context as it was.
*/
class context {
 public:
  /// Decides on a certificate, told what OpenSSL has found of it.
  using verifier_type = std::function<bool(bool accepted, verification const& seen)>;

  /// Is told what the two ends say to each other.
  using trace_type = std::function<void(traced_message const& said)>;

  // Copied where it could be moved: none is ever empty.
  context(context const&) noexcept = default;
  context& operator=(context const&) noexcept = default;

  /** Says what is asked of the peer. Clients default to `required`, servers to `none`.

      `optional` is the same as `required` on a client: a server always sends its certificate. Of a
      client that a server of `ask` or `require_any` has let in, `peer().verified()` is false,
      whatever it sent, and when it resumes its session, too.
      (`SSL_CTX_set_verify`)
      @par Errors `errc::invalid_setting` for `ask` and `require_any` on a client. */
  void set_verify(verify mode);
  verify verify_mode() const noexcept;

  bool sealed() const noexcept;

  /** Returns when the first of the certificates expires that are shown to peers: the leaf, or an
      issuer, of any identity of this context and of its virtual hosts. None where there is none. Of
      an adopted context's own certificates only those that it shows by default are looked at. */
  std::optional<std::chrono::system_clock::time_point> expires() const;

  /** Lends the wrapped context, for what cotls does not cover. The caller answers for changes made
      through it after the context is sealed.

      A chain and a key that were loaded with cotls are in it only once it is sealed. Roots given to
      it count as loaded, those of a directory excepted: a client then trusts the system's too.
      @par Errors `errc::context_sealed` for `default_client_context`, which is lent to nobody. */
  boost::asio::ssl::context& native() const;
  ssl_ctx_st* native_handle() const;

 protected:
  friend detail::access;

  explicit context(std::shared_ptr<detail::context_state> state) noexcept;
  void do_use(certificate_chain const& chain);
  void do_use(private_key const& key);
  void do_use(identity const& both);
  void do_also_use(identity const& another);
  void do_load_certificate_chain(std::filesystem::path const& path);
  void do_load_private_key(std::filesystem::path const& path, key_options const& options);
  void do_load_verify_roots(std::filesystem::path const& file,
                            std::filesystem::path const& directory);
  void do_add_roots(std::string_view pem);
  void do_add_root(certificate const& root);
  void do_use_system_roots();
  void do_set_ciphers(std::string const& tls12, std::string const& tls13);
  void do_set_groups(std::string const& groups);
  void do_set_policy(policy named);
  void do_set_versions(protocol_version lowest, protocol_version highest);
  void do_set_signature_algorithms(std::string const& list);
  void do_set_client_signature_algorithms(std::string const& list);
  void do_set_security_level(int level);
  void do_set_max_certificate_list(std::size_t bytes);
  void do_set_max_sent_record(std::size_t bytes);
  void do_configure(std::string_view commands);
  void do_use_system_policy(std::string const& section);
  void do_set_key_log(std::function<void(std::string_view line)> told);
  void do_set_key_log_file(std::filesystem::path const& file);
  bool do_set_key_log_file();
  void do_set_trace(trace_type told);
  void do_set_key_update_after(std::uint64_t bytes);
  void do_set_late_authentication(bool on);
  void do_set_verify_depth(int most);
  void do_set_revocation(revocation_options const& policy);
  void do_set_verify_time(std::optional<std::chrono::system_clock::time_point> moment);
  void do_set_verifier(verifier_type decides);
  void do_on_verify(detail::hook<bool, bool, peer_info const&> decides);
  void do_on_established(detail::hook<bool, peer_info const&, connection_info const&> decides);
  void do_on_certificate(char const* setter,
                         detail::hook<certificate_answer, certificate_query const&> decides);

  std::shared_ptr<detail::context_state> state_;

 private:
  void use_chain(char const* setter, certificate_chain const& chain, std::string const& doing);
  void use_key(char const* setter, private_key const& key, std::string const& doing);
};

/** The setters, returning the context they were called on so that they chain. */
template <class Derived>
class basic_context : public context {
 public:
  /** Loads a PEM file: the end entity's certificate, then its issuers. Overwrites the old chain.

      (`SSL_CTX_use_certificate`, `SSL_CTX_set1_chain`)
      A key that belonged to the old chain goes with it, unless it is the new chain's too.
      @par Errors The system's error when the file cannot be read, `errc::no_certificate_found`;
      when a key was loaded first, `errc::wrong_chain_order` if it is a later certificate's, and
      `errc::key_mismatch` if it is another's; OpenSSL's, as of `use`.
  */
  Derived& load_certificate_chain(std::filesystem::path const& path) {
    do_load_certificate_chain(path);
    return self();
  }

  /** Loads the first private key of a file that the options allow. Overwrites the old key.

      @par Errors Those of `private_key`, and of `use`.
  */
  Derived& load_private_key(std::filesystem::path const& path,
                            key_options const& options = key_options()) {
    do_load_private_key(path, options);
    return self();
  }

  /** Uses a chain, a key, or both, that were loaded or made before.

      @par Errors `errc::key_mismatch`; `errc::wrong_chain_order` for the key of a later
      certificate; OpenSSL's own code for a certificate or a key that is too weak for the security
      level.
  */
  Derived& use(certificate_chain const& chain) { do_use(chain); return self(); }
  Derived& use(private_key const& key) { do_use(key); return self(); }
  Derived& use(identity const& both) { do_use(both); return self(); }

  /** Uses another identity beside those there are; a chain that is used or loaded, with its key or
      without, overwrites them all. The peer is shown the one that fits.

      A server has one for each type of key (RSA, RSA-PSS, EC, ED25519, ED448), of which a later one
      replaces the earlier, and shows what the client's algorithms and the suite of TLS 1.2 ask for.

      A client may have several of one type. Of two and more, it shows the first that is of the type
      and for the algorithms that the server asks for, and whose issuer, or the issuer of another
      certificate of the chain, is among the authorities that the server names, if it names any
      (RFC 8446 section 4.2.4); when none fits, none. A lone one is shown whatever the authorities
      are. A certificate that the program gives to a connection itself goes before; several are not
      in `native`. (`SSL_CTX_set_cert_cb`)
      @par Errors OpenSSL's own code for a certificate or a key that is too weak for the security
      level. */
  Derived& also_use(identity const& another) { do_also_use(another); return self(); }

  /** Trusts the certificates of a PEM file, and those a hashed directory holds when they are
      needed. May be called several times; either path may be empty.
      (`SSL_CTX_load_verify_file`, `SSL_CTX_load_verify_dir`)

      Revocation lists in either are heeded (RFC 5280 section 6.3): a chain with a revoked
      certificate is refused, and one that a list is for which has expired. Once a list was loaded,
      or in the directory when that was, each peer's own certificate must have one of its issuer's,
      but for one that is itself trusted as a root; authorities are looked up in the lists there
      are (`set_revocation` changes that). A renewed list takes a new context, or the next number in
      the directory (`4f06f81d.r1`).
      @par Errors The system's error for a path that cannot be read, `errc::no_certificate_found`
      for a file with neither certificates nor revocation lists, or for no path at all. */
  Derived& load_verify_roots(std::filesystem::path const& file,
                             std::filesystem::path const& directory = {}) {
    do_load_verify_roots(file, directory);
    return self();
  }

  /** Trusts the certificates of a PEM text, and heeds its revocation lists, as
      `load_verify_roots` does those of a file.
      @par Errors `errc::no_certificate_found` */
  Derived& add_roots(std::string_view pem) { do_add_roots(pem); return self(); }

  /** Trusts one certificate as a root. The system's roots are then no longer trusted by default:
      ask for them with `use_system_roots`. */
  Derived& add_root(certificate const& root) { do_add_root(root); return self(); }

  /** Trusts the system's roots (`SSL_CERT_FILE`, `SSL_CERT_DIR`, and OpenSSL's own directory).
      What a client does when it is used without any root loaded.

      The file is parsed once in a process, at the first use of a context that trusts nothing but
      the system's roots; such contexts share its memory. A later change of it is not seen. */
  Derived& use_system_roots() { do_use_system_roots(); return self(); }

  /** Sets the suites of TLS 1.2 and those of TLS 1.3, as OpenSSL lists (openssl-ciphers(1)); an
      empty one stays as it is. (`SSL_CTX_set_cipher_list`, `SSL_CTX_set_ciphersuites`)

      The default of TLS 1.2 are the suites with forward secrecy and authenticated encryption
      (RFC 9325 section 4); `"DEFAULT"` admits what OpenSSL does by default.
      @par Errors `errc::invalid_setting`, naming the word: one that OpenSSL does not know; a suite
      that encrypts nothing; at security level 0, one by which nobody is verified. */
  Derived& set_ciphers(std::string const& tls12, std::string const& tls13 = {}) {
    do_set_ciphers(tls12, tls13);
    return self();
  }

  /** Sets the key exchange groups, in order of preference: `"X25519:P-256"`; all of them or, when
      one is not known, none. One behind a question mark may be missing: with
      `"?X25519MLKEM768:X25519"` a post-quantum group is used where OpenSSL has it (3.5).
      (`SSL_CTX_set1_groups_list`)
      @par Errors `errc::invalid_setting`, naming the group that is not known; when all may be
      missing, and are. */
  Derived& set_groups(std::string const& groups) { do_set_groups(groups); return self(); }

  /** Sets versions, suites, groups, and on a server whose order of suites counts, to those of a
      policy, whatever was set of them before; what is set later comes on top.

      `modern` and `intermediate` stay at or above the lowest version and the security level of the
      system's policy. `compatible` lowers the level to 0, without which OpenSSL 3 speaks no version
      before TLS 1.2; certificates are still verified at the level that was. */
  Derived& set_policy(policy named) { do_set_policy(named); return self(); }

  /** Speaks the versions from one to another, both included, instead of those that the context was
      made for. (`SSL_CTX_set_min_proto_version`, `SSL_CTX_set_max_proto_version`)

      Of the versions before TLS 1.2 OpenSSL 3 speaks none above security level 0
      (`set_security_level`), and the suites that they need are not among those of the default
      (`set_ciphers`). `set_policy(policy::compatible)` does all of that.
      @par Errors `errc::invalid_setting` for an empty range, and at the context's first use when
      the security level leaves nothing of it; `errc::unsupported_protocol` for a version that
      OpenSSL was built without. */
  Derived& set_versions(protocol_version lowest,
                        protocol_version highest = protocol_version::tls1_3) {
    do_set_versions(lowest, highest);
    return self();
  }

  /** Sets the signature algorithms that are taken of the peer, in order of preference, and those
      that a server signs with: `"ecdsa_secp256r1_sha256:RSA-PSS+SHA256"`
      (SSL_CTX_set1_sigalgs(3)). One behind a question mark may be missing, as of `set_groups`.
      (`SSL_CTX_set1_sigalgs_list`)
      @par Errors `errc::invalid_setting`, naming the one that is not known. */
  Derived& set_signature_algorithms(std::string const& list) {
    do_set_signature_algorithms(list);
    return self();
  }

  /** Sets those of clients' certificates: that a server asks for, and that a client signs with.
      Without it they are those of `set_signature_algorithms`.
      (`SSL_CTX_set1_client_sigalgs_list`)
      @par Errors As `set_signature_algorithms`. */
  Derived& set_client_signature_algorithms(std::string const& list) {
    do_set_client_signature_algorithms(list);
    return self();
  }

  /** Sets how strong keys, signatures and suites must at least be, from 0, all that there are, to
      5, of 256 bits (SSL_CTX_set_security_level(3)), for certificates, too. By default it is the
      system's. A chain or a key that is too weak for it is refused when the context is used.
      @par Errors `errc::invalid_setting` for another number, and for level 0 with suites by which
      nobody is verified. */
  Derived& set_security_level(int level) { do_set_security_level(level); return self(); }

  Derived& set_verify(verify mode) { context::set_verify(mode); return self(); }

  /** Tells a function the secrets of each connection, a line each without its end, as Wireshark
      reads them (`SSLKEYLOGFILE`): whoever has the lines reads all that the connections say, and
      can pretend to be either end. Off by default, and meant for looking for faults; an empty
      function turns it off again. (`SSL_CTX_set_keylog_callback`)
      @param told  Called inside of handshakes and of what changes keys, by whatever thread performs
                   them, several at once. It outlives the context's connections; what it throws is
                   swallowed. */
  Derived& set_key_log(std::function<void(std::string_view line)> told) {
    do_set_key_log(std::move(told));
    return self();
  }

  /** Appends the same lines to a file, which is made if there is none, readable for its owner
      alone. Each is written by one call of the system's, so that several contexts and programs may
      share the file. What cannot be written is lost.
      @par Errors The system's error when the file cannot be opened. */
  Derived& set_key_log_file(std::filesystem::path const& file) {
    do_set_key_log_file(file);
    return self();
  }

  /** The same with the file that the variable `SSLKEYLOGFILE` of the environment names, which is
      never heeded unless this is called.
      @return False when there is no such variable or it is empty, or the program has more rights
              than its caller (`secure_getenv`): nothing is set and nothing will be written.
      @par Errors As above. */
  bool set_key_log_file() { return do_set_key_log_file(); }

  /** Tells a function of each record, of each message of a handshake and of each alert that is sent
      or received: their kind and length, and nothing of what they hold but the alert. Off by
      default, and then it costs nothing; an empty function turns it off again.
      (`SSL_CTX_set_msg_callback`)
      @param told  Called by whatever thread uses the connection, several at once, in the middle of
                   its calls: it must not use the connection. It outlives the context's connections;
                   what it throws is swallowed. */
  Derived& set_trace(trace_type told) { do_set_trace(std::move(told)); return self(); }

  /** Changes the key that is sent with after so many bytes of plaintext, in TLS 1.3 (RFC 8446
      sections 4.6.3 and 5.5): the next write after that begins with the update. 0, the default:
      after 2^23 records, which is a third of what AES-GCM is good for. No connection sends more
      than that with one key, whatever is set. TLS 1.2 cannot do it, and nothing happens there.
      `stream::async_update_key` does it at once. */
  Derived& set_key_update_after(std::uint64_t bytes) {
    do_set_key_update_after(bytes);
    return self();
  }

  /** Lets a server ask for its client's certificate after the handshake, and never by another one
      (RFC 8446 section 4.6.2). Off by default. (`SSL_CTX_set_post_handshake_auth`,
      `SSL_VERIFY_POST_HANDSHAKE`)

      A client shows the certificate of its context to a server that asks late. A server of
      `verify::optional` and the like asks no client of TLS 1.3 in its handshake, but when
      `stream::async_request_certificate` says so, which `on_established` is not told; those of
      TLS 1.2 it asks in the handshake, for they cannot be asked later. A call without an argument
      switches it on.
      @par Errors At the context's first use, `errc::invalid_setting` for a server that asks for no
      certificate at all (`verify::none`). */
  Derived& set_late_authentication(bool on = true) {
    do_set_late_authentication(on);
    return self();
  }

  /** Limits the peer's chain to so many certificates between its own and the root: 0 for one that
      the root itself has signed; 100 by default, as OpenSSL has it. A longer chain is refused.
      (`SSL_CTX_set_verify_depth`)
      @par Errors `errc::invalid_setting` for a negative one. */
  Derived& set_verify_depth(int most) { do_set_verify_depth(most); return self(); }

  /** Takes no longer list of certificates of the peer than this, from 1 to 16,777,215 bytes; 100
      KiB by default, as OpenSSL has it. The handshake with a peer that sends more fails.
      (`SSL_CTX_set_max_cert_list`)
      @par Errors `errc::invalid_setting` */
  Derived& set_max_certificate_list(std::size_t bytes) {
    do_set_max_certificate_list(bytes);
    return self();
  }

  /** Sends no record with more than this of plaintext, from 512 to 16,384 bytes, which is the
      default. A client of little memory may ask a server for it (`set_max_fragment_length`); this
      is for peers that cannot ask. (`SSL_CTX_set_max_send_fragment`)
      @par Errors `errc::invalid_setting` */
  Derived& set_max_sent_record(std::size_t bytes) { do_set_max_sent_record(bytes); return self(); }

  /** Carries out OpenSSL's configuration commands, as its files have them (SSL_CONF_cmd(3)): a line
      `Command = value` each, `#` before remarks.

      What they set counts as if the program had set it on `native_handle()`: on top of what was set
      before, beneath what is set later. The lists among them (`CipherString`, `Ciphersuites`,
      `Groups`, `SignatureAlgorithms`) are checked as those of the setters are. Certificates, keys
      and roots have setters of their own, and no command here.
      @par Errors `errc::invalid_setting`, naming the command; all of them are carried out, or
      none. */
  Derived& configure(std::string_view commands) { do_configure(commands); return self(); }

  /** Applies a section of the system's policy, which OpenSSL's configuration file has by name
      (config(5), "SSL Configuration"), as `configure` does; that of the name `system_default` is in
      every context from the beginning. (`SSL_CTX_config`)

      A certificate of the section is shown unless a chain is loaded into the context.
      @par Errors `errc::invalid_setting` for a name that the file has not, and for a section that
      OpenSSL refuses; then none of it is applied. */
  Derived& use_system_policy(std::string const& section) {
    do_use_system_policy(section);
    return self();
  }

  /** Says how revocation lists are heeded that `load_verify_roots` and `add_roots` have loaded,
      instead of what these say by themselves: which certificates must have one, and whether it may
      have expired. */
  Derived& set_revocation(revocation_options const& policy) {
    do_set_revocation(policy);
    return self();
  }

  /** Verifies as of this moment, in whole seconds, instead of that of each handshake: a clock for
      tests. It counts for certificates, for revocation lists, and for the chains of sessions that
      are resumed; not for how long sessions last. None: the system's clock again.
      (`X509_VERIFY_PARAM_set_time`) */
  Derived& set_verify_time(std::optional<std::chrono::system_clock::time_point> moment) {
    do_set_verify_time(moment);
    return self();
  }

  /** Lets a function decide on each certificate of the peer's chain: true accepts it, whatever
      OpenSSL has found, and false refuses it; so does an exception. An empty one leaves it to
      OpenSSL. (`SSL_CTX_set_verify`)

      It is asked from the root down to the peer's own certificate, and before that once for each
      thing that OpenSSL would refuse, the name of the host among them; so a certificate may come
      several times. A chain that it has accepted is verified: `peer().verified()` is true.
      Verification must be on, without which nobody is asked; a server needs no roots then. Chains
      that were verified for a session are shown to it again before the session is resumed.
      @par Concurrency Called by whatever threads perform handshakes, perhaps by several at once.
      @par Errors At the context's first use, `errc::invalid_setting` where nothing is verified. */
  Derived& set_verifier(verifier_type decides) {
    do_set_verifier(std::move(decides));
    return self();
  }

  /** Lets the program decide on the peer's chain as a whole, once: true accepts it, whatever OpenSSL
      and a `set_verifier` have found, and false refuses it. Null leaves it to them. It is a hook: it
      may be a coroutine. (`SSL_CTX_set_cert_verify_callback`, `SSL_set_retry_verify`)

      It sees the chain as the peer sent it, and as `verified_chain()` the one that was built from
      it, which leads to no root where `accepted` is false; `verify_result()` and `verify_reason()`
      say why. Pins (`client_context::set_pins`) are not overruled. A chain that it accepts is
      verified. Verification must be on; a server needs no roots then. Of a session that is resumed it
      is asked as well, about the chain that the session was made with, as OpenSSL finds it now.

      A client asks before it says anything more to the server. A server asks when its client has
      proved that the chain is its own; nothing that tells the client that it is accepted leaves
      before the answer, and no session ticket. Who is refused is sent the alert that OpenSSL has for
      the reason; where OpenSSL had none, handshake_failure.
      @param decides  `bool(bool accepted, peer_info const& seen)`, or an awaitable of it.
      @par Errors At the context's first use, `errc::invalid_setting` where nothing is verified. An
      engine of a server over an adopted BIO cannot hold anything back: making it throws the same. */
  template <detail::hook_for<bool, bool, peer_info const&> Decides>
  Derived& on_verify(Decides decides) {
    do_on_verify(detail::make_hook<bool, bool, peer_info const&>(std::move(decides)));
    return self();
  }

  /** Gives the program the last word on each connection, resumed or not: it is asked when the
      handshake is done and nothing was read or written yet. (OpenSSL verifies no chain when a
      session is resumed; this is where to look whatever the way a connection came about.) False ends
      the connection with `errc::peer_not_allowed`. Null accepts all. It is a hook: it may be a
      coroutine.

      A client that was asked for its certificate later (`stream::async_request_certificate`) leads
      here once more, when it has answered: within whichever operation its answer has come, and
      before anything that it has sent behind it is read.

      The peer, whose own handshake may be done, learns it from its next read: by the alert
      access_denied, or, from a client of TLS 1.3 and from a server of TLS 1.2 that has resumed, of
      which OpenSSL sends no alert then, by close_notify. A client gets its session tickets of TLS 1.3
      once it was accepted. The session of a connection that was refused is forgotten.
      @param decides  `bool(peer_info const& peer, connection_info const& info)`, or an awaitable of
                      it. */
  template <detail::hook_for<bool, peer_info const&, connection_info const&> Decides>
  Derived& on_established(Decides decides) {
    do_on_established(
        detail::make_hook<bool, peer_info const&, connection_info const&>(std::move(decides)));
    return self();
  }

 protected:
  using context::context;

 private:
  Derived& self() noexcept { return static_cast<Derived&>(*this); }
};

}  // namespace cotls
