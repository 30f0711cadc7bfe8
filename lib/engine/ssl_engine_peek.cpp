// A look at data that stays for the next read:
//
//   peek -> keep_more: records are read into the chunk that small reads use, behind what it holds
//        -> the caller's buffers get a copy of its beginning
//
// OpenSSL's own SSL_peek would show one record, and never what came behind it.

#include <cotls/detail/engine/ssl_engine.hpp>

#include "engine/coalescer.hpp"

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

namespace cotls::detail {

read_step ssl_engine::peek(std::span<asio::mutable_buffer const> buffers) {
  std::size_t const wanted = std::min(asio::buffer_size(buffers), max_record);
  read_step got;
  if (kept() == 0 || kept() < wanted) got = keep_more(buffers);
  if (kept() == 0) return got;   // want, error, or a look that OpenSSL was given itself
  got.want = want::nothing;
  got.error.clear();   // it is held for who has read what is before it
  got.bytes = asio::buffer_copy(
      buffers, asio::buffer(read_buffer_.buffer() + read_begin_, std::min(kept(), wanted)));
  return got;
}

read_step ssl_engine::keep_more(std::span<asio::mutable_buffer const> buffers) {
  if ((SSL_get_options(ssl_.get()) & SSL_OP_CLEANSE_PLAINTEXT) != 0) return peek_uncopied(buffers);
  input_chunk fresh;
  try {
    if (!read_buffer_) fresh = input_chunk::borrow();
  } catch (std::bad_alloc const&) {
    return peek_uncopied(buffers);
  }
  std::size_t const before = kept();
  auto* const start = static_cast<std::byte*>((fresh ? fresh : read_buffer_).buffer().data());
  if (read_begin_ > 0 && before > 0) std::memmove(start, start + read_begin_, before);
  read_begin_ = 0;
  read_end_ = static_cast<std::uint16_t>(before);
  std::size_t const room = std::min(input_chunk::size - before, max_record);
  std::array const into{asio::mutable_buffer(start + before, room)};
  read_step const got = read_records(into);
  read_end_ = static_cast<std::uint16_t>(before + got.bytes);
  if (fresh && read_end_ > 0) read_buffer_ = std::move(fresh);
  return got;
}

// What is to be wiped as it is read stays with OpenSSL, as it does for want of memory: one record
// of it is seen, in the first buffer.
read_step ssl_engine::peek_uncopied(std::span<asio::mutable_buffer const> buffers) {
  auto const into = std::find_if(buffers.begin(), buffers.end(),
                                 [](asio::mutable_buffer each) { return each.size() > 0; });
  read_step const ready = read_records({});
  bool const stopped = ready.error || ready.want != want::nothing;
  if (stopped || into == buffers.end() || kept() > 0) return ready;
  channel::use const use(*channel_);
  step got = perform(call::peek, into->data(), into->size());
  if (got.want == want::input) got = needs_input(use.why());
  held_ = got.error;
  return {got, use.records(), use.received()};
}

}  // namespace cotls::detail
