#pragma once

#include <cotls/identity.hpp>
#include <cotls/protocol.hpp>

#include <openssl/types.h>

#include <cstdint>
#include <string>

namespace bench {

/** The name that every server's certificate is for, and that every client verifies. */
inline constexpr char const* host_name = "localhost";

/** Makes a certificate and its key, for a server of this name on loopback. */
inline cotls::identity make_identity() { return cotls::make_self_signed({host_name, "127.0.0.1"}); }

enum class version : std::uint8_t { tls1_2, tls1_3 };
enum class suite : std::uint8_t { aes_128_gcm, aes_256_gcm, chacha20_poly1305 };

/** Where a server has its key: in OpenSSL's hands, in those of a signer that answers at once, of one
    that is awaited, or of one that asks another process. */
enum class key_place : std::uint8_t { here, signer, awaited_signer, other_process };

/** What a server asks its program at each client's hello: nothing, a function that answers at once, or
    a coroutine that suspends once. */
enum class hello_hook : std::uint8_t { none, at_once, suspends };

/** Whether a client resumes the session of its connection before. */
enum class resumption : std::uint8_t { off, on };

/** As `SSL_get_version` spells it. */
std::string to_string(version value);
std::string to_string(suite value);

/** What all implementations of a scenario are set up with. */
struct settings {
  cotls::identity const* own = nullptr;  ///< the server's; the client trusts its certificate
  version protocol = version::tls1_3;
  suite cipher = suite::aes_256_gcm;
  key_place key = key_place::here;  ///< of cotls's servers; the others' is here
  hello_hook hook = hello_hook::none;  ///< of cotls's servers
  bool tuned = false;  ///< asio::ssl with what its users may set by hand
};

/** The one suite of these settings, as OpenSSL lists those of TLS 1.2 and of TLS 1.3. */
struct suite_lists {
  std::string tls1_2;
  std::string tls1_3;
};
suite_lists suites_of(settings const& given);

cotls::protocol protocol_of(settings const& given) noexcept;

/** Sets up a context of OpenSSL's as the settings have it: version, suite, and the server's
    identity or the client's trust. @par Errors `std::runtime_error` */
void set_up_server(SSL_CTX* context, settings const& given);
void set_up_client(SSL_CTX* context, settings const& given);

/** Asks a client's connection for the name of the server, and verifies it. */
void set_up_host(SSL* connection);

/** Checks that a connection is what the settings ask for; the client's has verified the server. */
void check_negotiated(SSL const* connection, settings const& given);

}  // namespace bench
