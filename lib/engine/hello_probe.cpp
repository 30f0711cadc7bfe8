#include "engine/hello_probe.hpp"

#include "context/context_state.hpp"
#include "engine/vector_reader.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"

#include <cotls/detail/channel/input_chunk.hpp>
#include <cotls/detail/engine/ssl_engine.hpp>
#include <cotls/detail/support/access.hpp>

#include <boost/asio/ssl/context.hpp>

#include <openssl/ssl.h>

#include <optional>
#include <span>

namespace cotls::detail {

namespace {

std::string to_string(std::span<unsigned char const> bytes) {
  return {bytes.begin(), bytes.end()};
}

// Numbers of two bytes each.
bool read_numbers(vector_reader from, std::vector<std::uint16_t>& into) {
  while (!from.empty()) into.push_back(static_cast<std::uint16_t>(from.number(2)));
  return !from.failed();
}

// RFC 6066 section 3: "The ServerNameList MUST NOT contain more than one name of the same
// name_type", and host_name is the only type.
bool read_server_name(vector_reader from, std::string& into) {
  if (!from.enter(2)) return false;
  if (from.number(1) != TLSEXT_NAMETYPE_host_name) return false;
  std::string name = to_string(from.vector(2));
  if (from.failed() || !from.empty() || name.empty()) return false;
  if (name.size() > TLSEXT_MAXLEN_host_name || name.find('\0') != std::string::npos) return false;
  for (char& each : name) {
    if (each >= 'A' && each <= 'Z') each = static_cast<char>(each - 'A' + 'a');
  }
  into = std::move(name);
  return true;
}

// RFC 7301 section 3.1: "Empty strings MUST NOT be included".
bool read_alpn(vector_reader from, std::vector<std::string>& into) {
  if (!from.enter(2) || from.empty()) return false;
  while (!from.empty()) {
    into.push_back(to_string(from.vector(1)));
    if (into.back().empty()) return false;
  }
  return !from.failed();
}

bool read_versions(vector_reader from, std::vector<std::uint16_t>& into) {
  return from.enter(1) && !from.empty() && read_numbers(from, into);
}

bool read_list(vector_reader from, std::vector<std::uint16_t>& into) {
  return from.enter(2) && !from.empty() && read_numbers(from, into);
}

bool read_bytes(vector_reader from, std::vector<unsigned char>& into) {
  auto const rest = from.rest();
  into.assign(rest.begin(), rest.end());
  return true;
}

// RFC 8446 section 4.2.11: identities of at least one byte, and an age of four bytes behind each.
bool read_identities(vector_reader from, std::vector<std::vector<unsigned char>>& into) {
  vector_reader identities(from.vector(2));
  while (!identities.empty()) {
    auto const one = identities.vector(2);
    identities.number(4);
    if (one.empty()) return false;
    into.emplace_back(one.begin(), one.end());
  }
  return !from.failed() && !identities.failed() && !into.empty();
}

// Reads an extension, if the client sent it; leaves nothing of one that cannot be read.
template <class T>
void read_extension(SSL* ssl, unsigned type, bool (*read)(vector_reader, T&), client_hello& of,
                    T& into) {
  unsigned char const* data = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, type, &data, &size) != 1) return;
  if (read(vector_reader({data, size}), into)) return;
  into.clear();
  of.well_formed = false;
}

void read_cipher_suites(SSL* ssl, std::vector<std::uint16_t>& into) {
  unsigned char const* data = nullptr;
  std::size_t const size = SSL_client_hello_get0_ciphers(ssl, &data);
  vector_reader from({data, size});
  if (SSL_client_hello_isv2(ssl) == 0) {
    read_numbers(from, into);
    return;
  }
  // RFC 5246 appendix E.2: in the form of SSL 2.0 a suite has three bytes, of TLS the first is 0.
  while (!from.empty()) {
    unsigned const suite = from.number(3);
    if (suite <= 0xffff) into.push_back(static_cast<std::uint16_t>(suite));
  }
}

client_hello read_client_hello(SSL* ssl) {
  client_hello hello;
  read_extension(ssl, TLSEXT_TYPE_server_name, read_server_name, hello, hello.server_name);
  read_extension(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, read_alpn, hello,
                 hello.alpn);
  read_extension(ssl, TLSEXT_TYPE_supported_versions, read_versions, hello, hello.versions);
  read_extension(ssl, TLSEXT_TYPE_supported_groups, read_list, hello, hello.groups);
  read_extension(ssl, TLSEXT_TYPE_signature_algorithms, read_list, hello,
                 hello.signature_algorithms);
  read_extension(ssl, TLSEXT_TYPE_session_ticket, read_bytes, hello, hello.ticket);
  read_extension(ssl, TLSEXT_TYPE_psk, read_identities, hello, hello.psk_identities);
  read_cipher_suites(ssl, hello.cipher_suites);
  if (hello.versions.empty()) {
    hello.versions.push_back(
        static_cast<std::uint16_t>(SSL_client_hello_get0_legacy_version(ssl)));
  }
  return hello;
}

// What a hello is read into; nothing where there was no memory for it.
using heard_hello = std::optional<client_hello>;

// Called by OpenSSL once the hello is parsed; stops the handshake there.
int on_client_hello(SSL* ssl, int* alert_value, void*) {
  auto& heard = *static_cast<heard_hello*>(SSL_get_app_data(ssl));
  try {
    heard = read_client_hello(ssl);
    return SSL_CLIENT_HELLO_RETRY;
  } catch (...) {
    heard.reset();   // no exception may cross OpenSSL
    *alert_value = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
  }
}

server_context make_probe_context() {
  clear_openssl_errors();
  ssl_ctx_ptr ctx(SSL_CTX_new(TLS_server_method()));
  if (!ctx) throw_openssl_error({}, "making a context");
  SSL_CTX_set_client_hello_cb(ctx.get(), on_client_hello, nullptr);
  boost::asio::ssl::context native(ctx.get());
  ctx.release();
  return server_context(std::move(native)).set_max_client_hello(largest_max_hello);
}

// Never freed: static objects may use it while the process ends.
server_context const& probe_context() {
  static auto const* const made = new server_context(make_probe_context());
  return *made;
}

}  // namespace

struct hello_probe::body {
  body() : ssl(probe_context(), ciphertext) { SSL_set_app_data(ssl.native_handle(), &heard); }

  heard_hello heard = client_hello();
  memory_channel ciphertext;
  ssl_engine ssl;
};

hello_probe::hello_probe() : body_(std::make_unique<body>()) {}
hello_probe::~hello_probe() = default;

step hello_probe::look(std::span<std::byte const> more) {
  body_->ciphertext.give(more.data(), more.size());
  step next;
  do {
    next = body_->ssl.handshake();
  } while (next.want == want::output);   // it was given many records
  if (next.want == want::input || next.want == want::client_hello) return next;
  if (!body_->heard) next.error = make_error_code(boost::system::errc::not_enough_memory);
  if (!next.error) next.error = errc::unexpected_result;
  return next;
}

client_hello hello_probe::take_hello() { return std::move(*body_->heard); }

boost::asio::const_buffer hello_probe::alert() { return body_->ciphertext.sending(); }

error hello_probe::failure_of(error_code code, char const* operation) const {
  return body_->ssl.failure_of(code, operation);
}

}  // namespace cotls::detail
