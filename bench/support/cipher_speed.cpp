#include "cipher_speed.hpp"

#include "cpu.hpp"
#include "payload.hpp"
#include "require.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace bench {

namespace {

constexpr std::size_t record_size = 16 * 1024;
constexpr double shortest_measurement = 0.02;  // seconds

EVP_CIPHER const* cipher_of(suite value) noexcept {
  switch (value) {
    case suite::aes_128_gcm:
      return EVP_aes_128_gcm();
    case suite::aes_256_gcm:
      return EVP_aes_256_gcm();
    case suite::chacha20_poly1305:
      return EVP_chacha20_poly1305();
  }
  return nullptr;
}

struct cipher_deleter {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};

// One direction of a connection's record protection.
class protection {
 public:
  protection(suite cipher, bool seals) : context_(EVP_CIPHER_CTX_new()), seals_(seals) {
    std::array<unsigned char, 32> const key{1, 2, 3};
    require(EVP_CipherInit_ex(context_.get(), cipher_of(cipher), nullptr, key.data(), nullptr,
                              seals ? 1 : 0) == 1,
            "the cipher");
  }

  void run(unsigned char* record, unsigned char* tag) {
    std::array<unsigned char, 12> const nonce{4, 5, 6};
    std::array<unsigned char, 5> const header{23, 3, 3, 64, 17};
    int done = 0;
    bool ok = EVP_CipherInit_ex(context_.get(), nullptr, nullptr, nullptr, nonce.data(), -1) == 1;
    if (!seals_) ok = ok && control(EVP_CTRL_AEAD_SET_TAG, tag);
    ok = ok && EVP_CipherUpdate(context_.get(), nullptr, &done, header.data(), header.size()) == 1;
    ok = ok && EVP_CipherUpdate(context_.get(), record, &done, record, record_size) == 1;
    ok = ok && EVP_CipherFinal_ex(context_.get(), record + done, &done) == 1;
    if (seals_) ok = ok && control(EVP_CTRL_AEAD_GET_TAG, tag);
    require(ok, "the cipher does not open what it sealed");
  }

 private:
  bool control(int what, unsigned char* tag) {
    return EVP_CIPHER_CTX_ctrl(context_.get(), what, 16, tag) == 1;
  }

  std::unique_ptr<EVP_CIPHER_CTX, cipher_deleter> context_;
  bool seals_;
};

}  // namespace

double seconds_to_seal_and_open(settings const& given) {
  protection seal(given.cipher, true);
  protection open(given.cipher, false);
  std::vector<char> const plain = make_payload(record_size);
  std::vector<unsigned char> record(plain.begin(), plain.begin() + record_size);
  std::array<unsigned char, 16> tag{};
  std::size_t bytes = 0;
  stopwatch const watch;
  do {
    for (int i = 0; i < 16; ++i) {
      seal.run(record.data(), tag.data());
      open.run(record.data(), tag.data());
      bytes += record_size;
    }
  } while (watch.cpu() < shortest_measurement);
  double const used = watch.cpu();
  require(std::equal(record.begin(), record.end(), plain.begin(),
                     [](unsigned char a, char b) { return a == static_cast<unsigned char>(b); }),
          "the cipher does not open what it sealed");
  return used / static_cast<double>(bytes);
}

}  // namespace bench
