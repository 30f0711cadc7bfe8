#include "signers.hpp"

#include <cotls/signer.hpp>

#include "process.hpp"
#include "require.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include <unistd.h>

namespace bench {

namespace {

namespace asio = boost::asio;
using local_socket = asio::local::stream_protocol::socket;
using signature = cotls::signer::signature;

// What goes to the keeper and comes back, whose length is in front.
struct message {
  std::size_t size = 0;
  std::array<unsigned char, 512> bytes{};
};

signature sign(cotls::private_key const& key, unsigned char const* bytes, std::size_t size) {
  struct deleter {
    void operator()(EVP_MD_CTX* it) const { EVP_MD_CTX_free(it); }
  };
  std::unique_ptr<EVP_MD_CTX, deleter> const by(EVP_MD_CTX_new());
  signature made(512);
  std::size_t length = made.size();
  require(EVP_DigestSignInit_ex(by.get(), nullptr, "SHA256", nullptr, nullptr, key.native_handle(),
                                nullptr) == 1 &&
              EVP_DigestSign(by.get(), made.data(), &length, bytes, size) == 1,
          "OpenSSL does not sign");
  made.resize(length);
  return made;
}

message message_of(std::vector<unsigned char> const& bytes) {
  message made;
  require(bytes.size() <= made.bytes.size(), "a message that is too long");
  made.size = bytes.size();
  std::copy(bytes.begin(), bytes.end(), made.bytes.begin());
  return made;
}

// Until the other end is gone.
void keep(line& control, cotls::private_key const& key) {
  try {
    for (;;) {
      auto const asked = control.receive<message>();
      control.send(message_of(sign(key, asked.bytes.data(), asked.size)));
    }
  } catch (std::runtime_error const&) {
    return;
  }
}

asio::awaitable<signature> ask(int keeper, cotls::signature_request const& request) {
  local_socket to(co_await asio::this_coro::executor, asio::local::stream_protocol(),
                  ::dup(keeper));
  message exchanged = message_of(request.message());
  auto const bytes = asio::buffer(&exchanged, sizeof exchanged);
  co_await asio::async_write(to, bytes, asio::use_awaitable);
  co_await asio::async_read(to, bytes, asio::use_awaitable);
  co_return signature(exchanged.bytes.begin(),
                      exchanged.bytes.begin() + static_cast<std::ptrdiff_t>(exchanged.size));
}

asio::awaitable<signature> sign_later(cotls::private_key key,
                                      cotls::signature_request const& request) {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  co_return sign(key, request.message().data(), request.message().size());
}

cotls::signer signer_of(settings const& given) {
  cotls::private_key const key = given.own->key();
  switch (given.key) {
    case key_place::here: break;
    case key_place::signer:
      return [key](cotls::signature_request const& request) {
        return sign(key, request.message().data(), request.message().size());
      };
    case key_place::awaited_signer:
      return [key](cotls::signature_request const& request) { return sign_later(key, request); };
    case key_place::other_process: {
      auto const keeper =
          std::make_shared<process>([key](line& control) { keep(control, key); });
      return [keeper](cotls::signature_request const& request) {
        return ask(keeper->control().descriptor(), request);
      };
    }
  }
  throw std::logic_error("a key that is here has no signer");
}

}  // namespace

std::string to_string(key_place value) {
  switch (value) {
    case key_place::here: return "here";
    case key_place::signer: return "signer";
    case key_place::awaited_signer: return "awaited signer";
    case key_place::other_process: return "signer in another process";
  }
  return {};
}

cotls::identity signing_identity(settings const& given) {
  if (given.key == key_place::here) return *given.own;
  return cotls::identity(given.own->chain(), cotls::private_key::from_signer(
                                                 given.own->chain().leaf(), signer_of(given)));
}

}  // namespace bench
