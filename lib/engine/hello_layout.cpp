// A hello on the wire (RFC 8446 section 4.1.2), taken out of its records:
//
//   version (2) | random (32) | session id | cipher suites | compression | extensions
//                                                                          type (2) | vector, ...

#include "engine/hello_layout.hpp"

#include "engine/vector_reader.hpp"

#include <openssl/ssl3.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace cotls::detail {

namespace {

using bytes = std::vector<unsigned char>;

// The first message, with its header; what is here of it, if its end is missing.
bytes first_message(std::span<unsigned char const> received) {
  bytes message;
  vector_reader records(received);
  std::size_t wanted = SSL3_HM_HEADER_LENGTH;
  while (message.size() < wanted && !records.empty()) {
    bool const is_handshake = records.number(1) == SSL3_RT_HANDSHAKE;
    records.number(2);   // a version that says nothing
    std::span<unsigned char const> const piece = records.vector(2);
    if (!is_handshake || piece.empty()) break;
    message.insert(message.end(), piece.begin(), piece.end());
    if (message.size() < SSL3_HM_HEADER_LENGTH) continue;
    vector_reader header(message);
    header.number(1);
    wanted = SSL3_HM_HEADER_LENGTH + header.number(3);
  }
  return message;
}

std::vector<std::uint16_t> types_of(vector_reader extensions) {
  std::vector<std::uint16_t> types;
  while (!extensions.empty()) {
    auto const type = static_cast<std::uint16_t>(extensions.number(2));
    extensions.vector(2);
    if (extensions.failed()) return {};
    types.push_back(type);
  }
  return types;
}

}  // namespace

void read_layout(std::span<std::byte const> received, client_hello& into) {
  bytes const message =
      first_message({reinterpret_cast<unsigned char const*>(received.data()), received.size()});
  vector_reader from(message);
  if (from.number(1) != SSL3_MT_CLIENT_HELLO) return;
  vector_reader hello(from.vector(3));
  hello.number(2);
  hello.skip(SSL3_RANDOM_SIZE);
  std::span<unsigned char const> const session = hello.vector(1);
  hello.vector(2);
  hello.vector(1);
  if (hello.failed() || session.size() > SSL3_SESSION_ID_SIZE) return;
  into.session_id.assign(session.begin(), session.end());
  if (hello.empty()) return;   // RFC 5246 section 7.4.1.2: there may be no extensions at all
  std::span<unsigned char const> const extensions = hello.vector(2);
  if (hello.failed() || !hello.empty()) return;
  into.extensions = types_of(vector_reader(extensions));
}

}  // namespace cotls::detail
