// One connection's calls of OpenSSL:
//
//   handshake / read / write / close_write / shutdown
//        |  call_scope: the error queue is emptied before, what was sent leaves after
//        v
//     perform: the call, and what its result means -> step
//
// The transport's end and failures never pass through OpenSSL: the channel keeps them, and
// `needs_input` turns them into the step's error when OpenSSL finds nothing more to read.

#include <cotls/detail/ssl_engine.hpp>

#include "context_state.hpp"
#include "openssl_error.hpp"
#include "openssl_ptr.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

namespace cotls::detail {

namespace {

constexpr std::size_t max_record = SSL3_RT_MAX_PLAIN_LENGTH;   // RFC 8446 section 5.1: 2^14 bytes
constexpr std::size_t max_write = 4 * max_record;              // one call's share of the thread
constexpr std::size_t small_read = 512;   // up to so much is read from a copy of a record's rest

// Null for a connection that others have made with a context of ours, or given another BIO.
ssl_engine* engine_of(SSL const* ssl) {
  channel* const over = channel_of(SSL_get_rbio(ssl));
  return over ? over->owner : nullptr;
}

// Called by OpenSSL at each certificate.
int on_verify(int accepted, X509_STORE_CTX* store) {
  ssl_engine* const self = engine_of(static_cast<SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())));
  if (!self) return accepted;
  return self->verify(accepted == 1, store) ? 1 : 0;
}

ssl_st* make_ssl(SSL_CTX* context) {
  clear_openssl_errors();
  if (SSL* made = SSL_new(context)) return made;
  throw_openssl_error(errc::unexpected_result, "making a connection");
}

SSL_CTX* sealed(context_state& context) {
  context.seal();
  return context.handle();
}

// A DNS name may be written with a final dot; neither SNI (RFC 6066 section 3) nor certificates
// (RFC 5280 section 4.2.1.6) have it.
std::string_view without_final_dot(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

bool is_address(std::string const& host) {
  error_code failed;
  asio::ip::make_address(host, failed);
  return !failed;
}

// Records made of a caller's small buffers are put together here.
thread_local std::array<std::byte, max_record> joining_buffer;

// The unsent rest of a caller's buffers: walked piece by piece.
class gather {
 public:
  explicit gather(std::span<asio::const_buffer const> buffers) : rest_(buffers) { skip_empty(); }

  bool empty() const noexcept { return rest_.empty(); }

  // Returns the next run of plaintext: in place when a record can be filled from one buffer or
  // nothing follows it, otherwise joined from as many buffers as one record holds.
  asio::const_buffer next(std::size_t limit) {
    asio::const_buffer const front = rest_.front() + offset_;
    if (front.size() >= std::min(max_record, limit) || rest_.size() == 1) {
      return take(asio::buffer(front, limit));
    }
    std::size_t joined = 0;
    while (!empty() && joined < std::min(max_record, limit)) {
      asio::const_buffer const piece =
          asio::buffer(rest_.front() + offset_, std::min(max_record, limit) - joined);
      std::memcpy(joining_buffer.data() + joined, piece.data(), piece.size());
      joined += take(piece).size();
    }
    return {joining_buffer.data(), joined};
  }

 private:
  asio::const_buffer take(asio::const_buffer piece) {
    offset_ += piece.size();
    skip_empty();
    return piece;
  }

  void skip_empty() {
    while (!rest_.empty() && offset_ == rest_.front().size()) {
      rest_ = rest_.subspan(1);
      offset_ = 0;
    }
  }

  std::span<asio::const_buffer const> rest_;
  std::size_t offset_ = 0;
};

}  // namespace

enum class ssl_engine::call : std::uint8_t { handshake, read, write, shutdown };

// Around each use of OpenSSL: what it had to say leaves with one send, an alert before its error is
// reported (T18).
class ssl_engine::call_scope {
 public:
  explicit call_scope(ssl_engine& engine) : channel_(*engine.channel_) { channel_.begin_call(); }
  ~call_scope() {
    if (channel_.emitted()) channel_.flush();
  }
  call_scope(call_scope const&) = delete;
  call_scope& operator=(call_scope const&) = delete;

 private:
  channel& channel_;
};

void ssl_deleter::operator()(ssl_st* ssl) const noexcept { SSL_free(ssl); }

ssl_engine::ssl_engine(ssl_st* made, channel& over) : channel_(&over), ssl_(made) {
  BIO* bio = over.make_bio();
  SSL_set_bio(ssl_.get(), bio, bio);   // takes the reference
  over.owner = this;
  SSL_set_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // One receive takes a record's header and body, and several small records.
  SSL_set_read_ahead(ssl_.get(), 1);
  set_verify_mode(SSL_get_verify_mode(ssl_.get()));
}

ssl_engine::ssl_engine(ssl_ctx_st* context, channel& over) : ssl_engine(make_ssl(context), over) {}

ssl_engine::ssl_engine(std::shared_ptr<context_state> context, channel& over)
    : ssl_engine(sealed(*context), over) {
  context_ = std::move(context);
}

ssl_engine::ssl_engine(client_context const& context, channel& over,
                       connection_options const& options)
    : ssl_engine(context.state(), over) {
  become(role::client);
  if (!options.host.empty()) {
    set_host(options.host);
  } else if (!context_->adopted && SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE) {
    throw error(errc::no_host_name);   // fails closed: any trusted certificate would do otherwise
  }
  if (!options.alpn.empty()) set_alpn(options.alpn);
  if (options.port != 0) resume_at(options.port);
}

ssl_engine::ssl_engine(server_context const& context, channel& over)
    : ssl_engine(context.state(), over) {
  become(role::server);
}

void ssl_engine::become(role end) noexcept {
  if (SSL_in_before(ssl_.get()) != 1) return;
  if (end == role::client) {
    SSL_set_connect_state(ssl_.get());
  } else {
    SSL_set_accept_state(ssl_.get());
  }
}

void ssl_engine::check_host(std::string_view given) {
  std::string_view const host = without_final_dot(given);
  if (host.empty() || host.size() > TLSEXT_MAXLEN_host_name ||
      host.find('\0') != std::string_view::npos) {
    throw error(errc::invalid_host_name);
  }
}

void ssl_engine::set_host(std::string_view given) {
  check_host(given);
  std::string const host(without_final_dot(given));
  bool set = false;
  if (is_address(host)) {
    // RFC 6066 section 3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"."
    set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host.c_str()) == 1;
  } else {
    SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    set = SSL_set1_host(ssl_.get(), host.c_str()) == 1 &&
          SSL_set_tlsext_host_name(ssl_.get(), host.c_str()) == 1;
  }
  if (!set) throw_openssl_error(errc::invalid_host_name, "setting the host name " + host);
}

void ssl_engine::set_alpn(std::vector<std::string> const& protocols) {
  std::string const wire = alpn_wire_format(protocols);
  // SSL_set_alpn_protos returns 0 on success (T13).
  if (SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<unsigned char const*>(wire.data()),
                          static_cast<unsigned>(wire.size())) != 0) {
    throw_openssl_error(errc::invalid_alpn_protocol, "setting the ALPN protocols");
  }
}

std::string ssl_engine::session_key() const { return host() + ':' + std::to_string(port_); }

// Without a host there is nothing that tells one server from another.
void ssl_engine::resume_at(std::uint16_t port) {
  if (!context_->sessions() || host().empty()) return;
  port_ = port;
  ssl_session_ptr const session = context_->sessions()->take(session_key());
  if (session) SSL_set_session(ssl_.get(), session.get());
}

int ssl_engine::on_new_session(ssl_st* ssl, ssl_session_st* session) {
  ssl_engine const* const self = engine_of(ssl);
  try {
    if (self && self->port_ != 0) self->context_->sessions()->put(self->session_key(), session);
  } catch (...) {
    // Only the short cut is lost.
  }
  return 0;   // we keep no reference to it
}

bool ssl_engine::is_server() const noexcept { return SSL_is_server(ssl_.get()) == 1; }

step ssl_engine::perform(call what, void* data, std::size_t size) {
  // Leftovers of somebody else's calls must not be read as ours (T11). A read of what is decrypted
  // already cannot fail, and is so short that even the look would be felt.
  if (what != call::read || SSL_pending(ssl_.get()) == 0) clear_openssl_errors();
  std::size_t bytes = 0;
  int result = 0;
  switch (what) {
    case call::handshake: result = SSL_do_handshake(ssl_.get()); break;
    case call::read: result = SSL_read_ex(ssl_.get(), data, size, &bytes); break;
    case call::write: result = SSL_write_ex(ssl_.get(), data, size, &bytes); break;
    case call::shutdown:
      result = SSL_shutdown(ssl_.get());
      if (result == 0) return {};   // sent; the peer's has not arrived, and nothing is wrong
      break;
  }
  if (result > 0) {
    handshake_done_ = true;   // by SSL_do_handshake, or by a read or write that came before it
    return {want::nothing, bytes, {}};
  }

  openssl_error said = take_openssl_error(ssl_.get(), result);
  switch (said.status) {
    case status::want_read: return {want::input, 0, {}};
    case status::want_write: return {want::output, 0, {}};
    case status::want_client_hello: return {want::client_hello, 0, {}};
    case status::want_x509_lookup: return {want::certificate, 0, {}};
    case status::want_retry_verify: return {want::verification, 0, {}};
    case status::want_connect: return {want::connect, 0, {}};
    case status::want_accept: return {want::accept, 0, {}};
    case status::want_async: return {want::async, 0, {}};
    case status::want_async_job: return {want::async_job, 0, {}};
    case status::zero_return: return {want::nothing, 0, asio::error::eof};
    case status::ssl: return fail(to_error_code(said.code), said.status, std::move(said.stack));
    case status::syscall:
      return fail({said.system, boost::system::system_category()}, said.status,
                  std::move(said.stack));
    case status::unclassified: break;
  }
  return fail(errc::unexpected_result, said.status, std::move(said.stack));
}

step ssl_engine::fail(error_code code, status classified, std::string stack) {
  failure& known = failures().fatal;
  known.status = classified;
  known.openssl_stack = std::move(stack);
  fatal_ = code;
  // Should the session that was offered be the reason, the next connection goes without.
  if (port_ != 0 && !handshake_done_) context_->sessions()->forget(session_key());
  return {want::nothing, 0, code};
}

// A callback of the context's, or of a connection that was taken over, stays.
void ssl_engine::set_verify_mode(int mode) noexcept {
  auto const callback = SSL_get_verify_callback(ssl_.get());
  bool const observed = mode != SSL_VERIFY_NONE && !callback;
  SSL_set_verify(ssl_.get(), mode, observed ? on_verify : callback);
}

void ssl_engine::set_verify_depth(int depth) noexcept {
  SSL_set_verify_depth(ssl_.get(), depth);
}

void ssl_engine::set_verifier(verifier decides) {
  verifier_ = std::make_unique<verifier>(std::move(decides));
  SSL_set_verify(ssl_.get(), SSL_get_verify_mode(ssl_.get()), on_verify);
}

// No exception may cross OpenSSL. One of the verifier's fails closed; one of the diagnosis loses no
// more than that.
bool ssl_engine::verify(bool accepted, x509_store_ctx_st* store) noexcept {
  try {
    if (verifier_) accepted = (*verifier_)(accepted, store);
  } catch (...) {
    accepted = false;
  }
  if (accepted) return true;
  if (X509_STORE_CTX_get_error(store) == X509_V_OK) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  }
  try {
    note_refused_certificate(store);
  } catch (...) {
    // The certificate stays refused.
  }
  return false;
}

// Remembers why and where the chain was refused.
void ssl_engine::note_refused_certificate(x509_store_ctx_st* store) {
  failure& known = failures().fatal;
  known.verify_result = X509_STORE_CTX_get_error(store);
  known.verify_depth = X509_STORE_CTX_get_error_depth(store);
  X509* refused = X509_STORE_CTX_get_current_cert(store);
  known.verify_subject =
      refused ? certificate::from_native(refused).subject() : std::string();
}

void ssl_engine::note_failure(error_code code, char const* operation) noexcept {
  try {
    record& known = failures();
    known.last = code;
    known.last_operation = operation;
  } catch (std::bad_alloc const&) {
    // The operation reports its code; only last_error does not know of it.
  }
}

ssl_engine::record& ssl_engine::failures() {
  if (!record_) record_ = std::make_unique<record>();
  return *record_;
}

error ssl_engine::last_error() const {
  if (!record_ || !record_->last) return failure_of({}, "the connection");
  return failure_of(record_->last, record_->last_operation);
}

failure ssl_engine::failure_details(error_code code) const {
  if (record_ && code && code == fatal_) return record_->fatal;
  failure known;
  if (code == asio::error::eof) known.status = status::zero_return;
  if (code && (code == channel_->receive_error() || code == channel_->send_error())) {
    known.status = status::syscall;
  }
  return known;
}

error ssl_engine::failure_of(error_code code, char const* operation) const {
  failure known = failure_details(code);
  known.context = operation;
  if (std::string const name = host(); !name.empty()) known.context += " with " + name;
  return error(code, std::move(known));
}

std::string ssl_engine::host() const {
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl_.get());
  if (char const* name = X509_VERIFY_PARAM_get0_host(param, 0)) return name;
  std::unique_ptr<char, openssl_memory_deleter> const address(X509_VERIFY_PARAM_get1_ip_asc(param));
  return address ? address.get() : std::string();
}

// OpenSSL has read all that there is. Whether more can come is the channel's to say.
step ssl_engine::needs_input() const {
  if (channel_->receive_error()) return {want::nothing, 0, channel_->receive_error()};
  if (channel_->paused()) return {want::output, 0, {}};
  if (!channel_->ended()) return {want::input, 0, {}};
  if (!handshake_done_) return {want::nothing, 0, errc::handshake_truncated};
  if (truncation_is_end_) return {want::nothing, 0, asio::error::eof};
  return {want::nothing, 0, errc::stream_truncated};
}

void ssl_engine::set_read_ahead(bool value) noexcept { SSL_set_read_ahead(ssl_.get(), value); }

bool ssl_engine::is_over() const noexcept {
  bool const closed = SSL_get_shutdown(ssl_.get()) == (SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  return closed || (fatal_ && !handshake_done_);
}

std::vector<std::byte> ssl_engine::take_back_input() {
  bool const all_kept = channel_->heard_foreign();
  // Without read-ahead, what is pending is the beginning of a record that was not finished.
  bool const pending = SSL_get_read_ahead(ssl_.get()) == 1 && SSL_has_pending(ssl_.get()) == 1;
  if (!all_kept && pending) throw error(errc::read_ahead);
  return channel_->take_back_given();
}

void ssl_engine::give_up_handshake(error_code why) {
  handshake_done_ = false;
  if (!fatal_) fail(why, failure_details(why).status);
}

step ssl_engine::handshake() {
  if (fatal_) return {want::nothing, 0, fatal_};
  call_scope scope(*this);
  // A server speaks second. Asked before its client has spoken, OpenSSL would make its buffers for
  // a client that may stay silent: 45 kB. What a BIO beneath ours waits for it must see itself.
  bool const first = is_server() && SSL_in_before(ssl_.get());
  bool const silent = first && !BIO_next(SSL_get_rbio(ssl_.get())) && !channel_->has_input();
  if (silent) return needs_input();
  step done = perform(call::handshake);
  if (done.want == want::input) return needs_input();
  if (done.error == asio::error::eof) return fail(alert::close_notify, status::zero_return);
  if (handshake_done_) release_buffers();
  return done;
}

// Whether another read could give plaintext without waiting.
bool ssl_engine::more_is_here() const noexcept {
  return !channel_->dry() || SSL_has_pending(ssl_.get()) == 1;
}

step ssl_engine::read(std::span<asio::mutable_buffer const> buffers) {
  if (rest_begin_ != rest_end_) return read_rest(buffers);
  if (held_) return {want::nothing, 0, held_};
  if (fatal_) return {want::nothing, 0, fatal_};
  if (handshake_done_ && !more_is_here() && channel_->unsent() == 0) return needs_input();
  // A writer's ciphertext that waits to leave must not keep us from reading, or two peers that both
  // write would wait for each other for ever; what our answers to the peer add to it is bounded.
  if (channel_->unsent() > 2 * channel::max_unsent) return {want::output, 0, {}};
  call_scope scope(*this);
  if (keep_rest(asio::buffer_size(buffers))) return read_rest(buffers);
  step const done = fill(buffers);
  // Tickets come alone, or before the first data. After that a look at each read would cost more
  // than the buffer, which the next write lets go.
  if (!data_was_read_ || done.bytes == 0) release_buffers();
  data_was_read_ |= done.bytes > 0;
  return done;
}

// Whoever reads a record in small pieces would call OpenSSL for each, which takes ten times as long
// as the copy. OpenSSL lets go of its own buffer when the rest is taken, so that no more is held.
bool ssl_engine::keep_rest(std::size_t wanted) noexcept {
  auto const pending = static_cast<std::size_t>(SSL_pending(ssl_.get()));
  if (wanted > small_read || pending <= wanted) return false;
  if ((SSL_get_options(ssl_.get()) & SSL_OP_CLEANSE_PLAINTEXT) != 0) return false;
  try {
    rest_ = input_chunk::borrow();
  } catch (std::bad_alloc const&) {
    return false;   // it stays with OpenSSL
  }
  step const got = perform(call::read, rest_.buffer().data(), std::min(pending, max_record));
  rest_begin_ = 0;
  rest_end_ = static_cast<std::uint16_t>(got.bytes);
  return got.bytes > 0;
}

step ssl_engine::read_rest(std::span<asio::mutable_buffer const> buffers) {
  auto const* const rest = static_cast<std::byte const*>(rest_.buffer().data());
  std::size_t read = 0;
  for (asio::mutable_buffer const into : buffers) {
    std::size_t const left = std::size_t{rest_end_} - rest_begin_;
    std::size_t const size = std::min(into.size(), left);
    if (size > 0) std::memcpy(into.data(), rest + rest_begin_, size);
    rest_begin_ = static_cast<std::uint16_t>(rest_begin_ + size);
    read += size;
  }
  if (rest_begin_ == rest_end_) rest_ = input_chunk();
  return {want::nothing, read, {}};
}

step ssl_engine::fill(std::span<asio::mutable_buffer const> buffers) {
  std::size_t filled = 0;
  for (asio::mutable_buffer rest : buffers) {
    while (rest.size() > 0) {
      step got = perform(call::read, rest.data(), rest.size());
      if (got.bytes > 0) {
        filled += got.bytes;
        rest += got.bytes;
        if (rest.size() > 0 && !more_is_here()) return {want::nothing, filled, {}};
        continue;
      }
      if (got.want == want::input) got = needs_input();
      if (got.error) held_ = got.error;
      if (filled > 0) return {want::nothing, filled, {}};
      return got;
    }
  }
  return {want::nothing, filled, {}};
}

// An idle connection holds no record buffers. OpenSSL lets go of them by itself, but for those that
// messages of a handshake leave behind, a ticket one of 16 kB for writing. Before 3.0.14,
// SSL_free_buffers does not see that a record was read in part, or only its header (CVE-2024-4741):
// "RH" says that none has begun.
void ssl_engine::release_buffers() noexcept {
  if (more_is_here() || std::string_view(SSL_rstate_string(ssl_.get())) != "RH") return;
  SSL_free_buffers(ssl_.get());
}

step ssl_engine::write(std::span<asio::const_buffer const> buffers) {
  if (fatal_) return {want::nothing, 0, fatal_};
  if (closing_) return {want::nothing, 0, errc::write_after_close};
  if (channel_->send_error()) return {want::nothing, 0, channel_->send_error()};
  if (channel_->unsent() > channel::max_unsent) return {want::output, 0, {}};
  step done;
  {
    call_scope scope(*this);
    gather plaintext(buffers);
    while (!plaintext.empty() && done.bytes < max_write) {
      asio::const_buffer const piece = plaintext.next(max_write - done.bytes);
      step const taken = perform(call::write, const_cast<void*>(piece.data()), piece.size());
      done.bytes += taken.bytes;
      if (taken.bytes == piece.size()) continue;
      done.want = taken.want;
      done.error = taken.error;
      break;
    }
  }
  if (done.want == want::input) {
    step const more = needs_input();
    done.want = more.want;
    done.error = more.error;
  }
  if (!done.error) done.error = channel_->send_error();
  return done;
}

step ssl_engine::close_write() {
  if (fatal_) return {want::nothing, 0, fatal_};
  // Before the handshake is done there is nothing to close; OpenSSL refuses to try.
  if (close_sent_ || !handshake_done_) return {};
  closing_ = true;
  call_scope scope(*this);
  // While a message is half here, a ticket that spans records, OpenSSL refuses to close anything.
  if (SSL_in_init(ssl_.get()) == 1) {
    step const rest = perform(call::handshake);
    if (rest.want == want::input) return needs_input();
    if (rest.error || rest.want != want::nothing) return rest;
  }
  step const done = perform(call::shutdown);
  close_sent_ = done.want == want::nothing;   // an adopted BIO may not take it at once
  // RFC 8446 section 6.1: close_notify "notifies the recipient that the sender will not send any
  // more messages on this connection". OpenSSL goes on to answer key updates; a peer that has
  // closed its socket meanwhile would answer with a reset, which destroys what it has sent last.
  if (close_sent_) channel_->mute();
  return done;
}

step ssl_engine::shutdown() {
  if (step const sent = close_write(); sent.error || sent.want != want::nothing) return sent;
  if (!handshake_done_) return {};
  // Unread data is discarded: closing the transport over it would make the kernel send a reset,
  // which can destroy the last of our data on its way (T15).
  thread_local std::array<std::byte, max_record> discarded;
  std::array const into{asio::mutable_buffer(discarded.data(), discarded.size())};
  step const got = read(into);
  if (got.error == asio::error::eof) return {};
  return got;
}

connection_info ssl_engine::info() const {
  connection_info known;
  known.version = SSL_get_version(ssl_.get());
  if (SSL_CIPHER const* suite = SSL_get_current_cipher(ssl_.get())) {
    known.suite = SSL_CIPHER_get_name(suite);
  }
  // The macro SSL_get_negotiated_group is a control whose result is the group's number.
  auto const group = static_cast<int>(SSL_get_negotiated_group(ssl_.get()));
  if (char const* name = group > 0 ? SSL_group_to_name(ssl_.get(), group) : nullptr) {
    known.group = name;
  }
  unsigned char const* protocol = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl_.get(), &protocol, &length);
  if (length > 0) known.alpn.assign(reinterpret_cast<char const*>(protocol), length);
  if (char const* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name)) {
    known.server_name = name;
  }
  known.resumed = SSL_session_reused(ssl_.get()) == 1;
  return known;
}

peer_info ssl_engine::peer() const {
  std::vector<certificate> chain;
  if (X509* own = SSL_get0_peer_certificate(ssl_.get())) {
    chain.push_back(certificate::from_native(own));
    // On a server the chain leaves out the peer's own certificate; on a client it begins with it.
    STACK_OF(X509)* sent = SSL_get_peer_cert_chain(ssl_.get());
    for (int i = is_server() ? 0 : 1; i < sk_X509_num(sent); ++i) {
      chain.push_back(certificate::from_native(sk_X509_value(sent, i)));
    }
  }
  bool const verified = !chain.empty() && SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE &&
                        SSL_get_verify_result(ssl_.get()) == X509_V_OK;
  return peer_info(std::move(chain), verified);
}

}  // namespace cotls::detail
