#pragma once

#include <boost/asio/buffer.hpp>

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>

namespace cotls::detail {

namespace asio = boost::asio;

inline constexpr std::size_t max_record = SSL3_RT_MAX_PLAIN_LENGTH;   // RFC 8446 section 5.1: 2^14
inline constexpr std::size_t max_write = 4 * max_record;              // one call's share of the thread

/** The unsent rest of a caller's buffers: walked piece by piece. */
class coalescer {
 public:
  explicit coalescer(std::span<asio::const_buffer const> buffers) : buffers_(buffers) {
    skip_empty();
  }

  bool empty() const noexcept { return buffers_.empty(); }

  /** Returns the next run of plaintext: in place when a record can be filled from one buffer or
      nothing follows it, otherwise joined from as many buffers as one record holds. What is joined
      stays until the thread joins again. */
  asio::const_buffer next(std::size_t limit) {
    asio::const_buffer const front = buffers_.front() + offset_;
    if (front.size() >= std::min(max_record, limit) || buffers_.size() == 1) {
      return take(asio::buffer(front, limit));
    }
    static thread_local std::array<std::byte, max_record> joined_here;
    std::size_t joined = 0;
    while (!empty() && joined < std::min(max_record, limit)) {
      asio::const_buffer const piece =
          asio::buffer(buffers_.front() + offset_, std::min(max_record, limit) - joined);
      std::memcpy(joined_here.data() + joined, piece.data(), piece.size());
      joined += take(piece).size();
    }
    return {joined_here.data(), joined};
  }

 private:
  asio::const_buffer take(asio::const_buffer piece) {
    offset_ += piece.size();
    skip_empty();
    return piece;
  }

  void skip_empty() {
    while (!buffers_.empty() && offset_ == buffers_.front().size()) {
      buffers_ = buffers_.subspan(1);
      offset_ = 0;
    }
  }

  std::span<asio::const_buffer const> buffers_;
  std::size_t offset_ = 0;
};

}  // namespace cotls::detail
