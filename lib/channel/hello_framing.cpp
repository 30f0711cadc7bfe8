// A hello on the wire, in one record or many:
//
//   record:    type 22 | version 3.x | length (2) | a piece of the message
//   message:   type 1  | length (3)  | ...

#include <cotls/detail/channel/hello_framing.hpp>

#include <cotls/detail/channel/channel.hpp>

#include <openssl/ssl3.h>

#include <algorithm>

namespace cotls::detail {

namespace {

constexpr std::size_t message_header = 4;

std::size_t number(std::span<std::byte const> bytes) noexcept {
  std::size_t value = 0;
  for (std::byte const each : bytes) value = value << 8 | std::to_integer<std::size_t>(each);
  return value;
}

bool begins_handshake_record(std::span<std::byte const> header) noexcept {
  return number(header.first(1)) == SSL3_RT_HANDSHAKE &&
         number(header.subspan(1, 1)) == SSL3_VERSION_MAJOR;
}

// The hello of SSL 2.0, in which a client may offer more (RFC 5246 appendix E.2): a length of 15
// bits below one that is set, and the type.
bool is_old_hello(std::span<std::byte const> header) noexcept {
  return number(header.first(1)) >= 0x80 &&
         number(header.subspan(2, 1)) == SSL3_MT_CLIENT_HELLO;
}

hello_arrival look_for_old_hello(std::span<std::byte const> received, std::size_t limit) noexcept {
  std::size_t const length = number(received.first(2)) & 0x7fff;
  if (length > limit) return hello_arrival::too_long;
  return received.size() - 2 < length ? hello_arrival::awaited : hello_arrival::here;
}

// The first bytes of a message, and how many there are of it.
class message_prefix {
 public:
  void append(std::span<std::byte const> piece) noexcept {
    std::size_t const wanted = message_header - std::min(size_, message_header);
    std::ranges::copy(piece.first(std::min(piece.size(), wanted)), header_.begin() + size_);
    size_ += piece.size();
  }

  bool is_hello() const noexcept {
    return size_ == 0 || std::to_integer<int>(header_[0]) == SSL3_MT_CLIENT_HELLO;
  }
  bool has_length() const noexcept { return size_ >= message_header; }
  std::size_t length() const noexcept { return number(std::span(header_).subspan(1)); }
  bool whole() const noexcept { return has_length() && size_ - message_header >= length(); }

 private:
  std::array<std::byte, message_header> header_{};
  std::size_t size_ = 0;
};

}  // namespace

hello_arrival look_for_hello(std::span<std::byte const> received, std::size_t limit) noexcept {
  std::span<std::byte const> rest = received;
  message_prefix message;
  // OpenSSL, too, needs a whole header to tell what it is.
  if (rest.size() >= record_header && is_old_hello(rest)) return look_for_old_hello(rest, limit);
  while (rest.size() >= record_header) {
    if (!begins_handshake_record(rest)) return hello_arrival::here;
    std::size_t const length = number(rest.subspan(3, 2));
    if (length == 0 || length > SSL3_RT_MAX_PLAIN_LENGTH) return hello_arrival::here;
    std::span<std::byte const> const behind = rest.subspan(record_header);
    message.append(behind.first(std::min(length, behind.size())));
    if (!message.is_hello()) return hello_arrival::here;
    if (message.has_length() && message.length() > limit) return hello_arrival::too_long;
    if (message.whole()) return hello_arrival::here;
    if (behind.size() < length) break;
    rest = behind.subspan(length);
  }
  return received.size() > 2 * limit ? hello_arrival::too_long : hello_arrival::awaited;
}

// RFC 8446 sections 5.1 and 6: a record of two bytes, the level and the description.
std::array<unsigned char, 7> plaintext_alert(alert reason) noexcept {
  return {SSL3_RT_ALERT, 3, 3, 0, 2, SSL3_AL_FATAL, static_cast<unsigned char>(reason)};
}

}  // namespace cotls::detail
