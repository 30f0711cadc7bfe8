// Keeps a private key, and signs for whoever may open its socket:
//
//   key_keeper KEY.pem SOCKET
//
//   -> scheme (2 bytes), length (4 bytes), message      numbers in network order
//   <- length (4 bytes), signature
//
// The key never leaves this process, and no process that TLS is spoken in has it. Who may open the
// socket is the file system's affair.

#include <cotls/private_key.hpp>
#include <cotls/signer.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace asio = boost::asio;
using local = asio::local::stream_protocol;

namespace {

constexpr std::uint32_t max_message = 100'000;

std::uint32_t number(unsigned char const* bytes, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | bytes[i];
  return value;
}

void check(bool done) {
  if (!done) throw std::runtime_error("OpenSSL could not sign");
}

std::vector<unsigned char> sign(EVP_PKEY* key, cotls::signature_scheme scheme,
                                std::vector<unsigned char> const& message) {
  struct deleter {
    void operator()(EVP_MD_CTX* it) const { EVP_MD_CTX_free(it); }
  };
  std::unique_ptr<EVP_MD_CTX, deleter> const by(EVP_MD_CTX_new());
  std::string const hash(cotls::hash_of(scheme));
  EVP_PKEY_CTX* details = nullptr;
  check(EVP_DigestSignInit_ex(by.get(), &details, hash.empty() ? nullptr : hash.c_str(), nullptr,
                              nullptr, key, nullptr) == 1);
  if (cotls::to_string(scheme).starts_with("rsa_pss")) {
    check(EVP_PKEY_CTX_set_rsa_padding(details, RSA_PKCS1_PSS_PADDING) == 1);
    check(EVP_PKEY_CTX_set_rsa_pss_saltlen(details, RSA_PSS_SALTLEN_DIGEST) == 1);
  }
  std::size_t size = 0;
  check(EVP_DigestSign(by.get(), nullptr, &size, message.data(), message.size()) == 1);
  std::vector<unsigned char> made(size);
  check(EVP_DigestSign(by.get(), made.data(), &size, message.data(), message.size()) == 1);
  made.resize(size);
  return made;
}

void serve(local::socket client, EVP_PKEY* key) {
  std::array<unsigned char, 6> header;
  asio::read(client, asio::buffer(header));
  std::uint32_t const size = number(header.data() + 2, 4);
  if (size > max_message) return;
  std::vector<unsigned char> message(size);
  asio::read(client, asio::buffer(message));
  auto const scheme = static_cast<cotls::signature_scheme>(number(header.data(), 2));
  std::vector<unsigned char> const made = sign(key, scheme, message);
  std::array<unsigned char, 4> const length{0, 0, static_cast<unsigned char>(made.size() >> 8),
                                            static_cast<unsigned char>(made.size())};
  asio::write(client, std::array{asio::buffer(length), asio::buffer(made)});
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::cerr << "usage: key_keeper KEY.pem SOCKET\n";
    return 2;
  }
  try {
    auto const key = cotls::private_key::from_file(words[1]);
    std::remove(words[2]);   // of one that was killed
    asio::io_context context;
    local::acceptor clients(context, local::endpoint(words[2]));
    std::cout << "ready" << std::endl;
    for (;;) {
      try {
        serve(clients.accept(), key.native_handle());
      } catch (std::exception const& failed) {
        std::cerr << failed.what() << "\n";   // it goes on with the next
      }
    }
  } catch (std::exception const& failed) {
    std::cerr << failed.what() << "\n";
    return 1;
  }
}
