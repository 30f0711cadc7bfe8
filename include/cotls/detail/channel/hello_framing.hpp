#pragma once

#include <cotls/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace cotls::detail {

/** The longest ClientHello that a server takes by default. Clients send 200 to 2,000 bytes, those
    that resume with a certificate in their ticket a few thousand. */
inline constexpr std::size_t default_max_hello = 16 * 1024;

/** What OpenSSL takes at the most. */
inline constexpr std::size_t largest_max_hello = 131'396;

/// How much of a ClientHello is here.
enum class hello_arrival : std::uint8_t {
  awaited,    ///< It may become one: the rest is missing.
  too_long,   ///< It says that it is longer than the limit, or its records are.
  here,       ///< It is whole. Or what came is something else, which is OpenSSL's to refuse.
};

/** Looks at the framing of what a client has said first (RFC 8446 sections 4 and 5.1).

    OpenSSL allocates what a message claims to be long once it has seen four bytes of it, and its
    own buffers before that (T31): it is given nothing before the hello is whole.
    @param limit  Of the message, without its header; its records may take twice as much. */
hello_arrival look_for_hello(std::span<std::byte const> received, std::size_t limit) noexcept;

/** Makes a fatal alert for a peer with which there are no keys yet. */
std::array<unsigned char, 7> plaintext_alert(alert reason) noexcept;

}  // namespace cotls::detail
