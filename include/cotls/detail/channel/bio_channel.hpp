#pragma once

#include <cotls/detail/channel/channel.hpp>

#include <memory>

namespace cotls::detail {

struct bio_deleter {
  void operator()(bio_st* bio) const noexcept;
};
using owned_bio = std::unique_ptr<bio_st, bio_deleter>;

/** Ciphertext that a BIO of the user's receives and sends by itself.

    Our own BIO lies upon it and passes on what it asks for: to be connected, to accept, to be read
    or written again. So OpenSSL does see a blocked write here, and the same plaintext must be
    written again (T10). The end of the BIO stays in the channel (T12); its failures are OpenSSL's
    to classify.
*/
class bio_channel final : public channel {
 public:
  /** Owns the BIO, which may be a chain of them. @par Errors `invalid_argument` for none */
  explicit bio_channel(owned_bio transport);

  bio_st* make_bio() override;
  void flush() noexcept override {}
  std::size_t unsent() const noexcept override { return 0; }

  /** Sets on our own BIO what a receive that brought nothing means to OpenSSL. */
  void explain(bio_st* ours, shortage why) const noexcept;

 private:
  std::size_t do_receive(void* data, std::size_t size) override;
  void do_send(void const*, std::size_t) override {}

  owned_bio transport_;   // until OpenSSL has it
  bio_st* beneath_;
  bool failed_ = false;
};

}  // namespace cotls::detail
