#pragma once

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

namespace cotls::detail {

namespace asio = boost::asio;

/** The first non-empty buffers of a sequence, behind an offset, as one contiguous array.

    Of a sequence longer than the array the rest is looked at in a later call.
*/
template <class Buffer, class Sequence>
class buffer_slices {
 public:
  explicit buffer_slices(Sequence const& sequence, std::size_t offset = 0) noexcept {
    auto const end = asio::buffer_sequence_end(sequence);
    for (auto it = asio::buffer_sequence_begin(sequence); it != end && count_ < most; ++it) {
      Buffer const buffer(*it);
      if (offset >= buffer.size()) {
        offset -= buffer.size();
        continue;
      }
      std::construct_at(slices() + count_++, buffer + offset);
      offset = 0;
    }
  }

  bool empty() const noexcept { return count_ == 0; }
  std::span<Buffer const> span() noexcept { return {slices(), count_}; }

 private:
  // A record full of buffers of 16 bytes. Most sequences are short: none is made in advance.
  static constexpr std::size_t most = std::is_convertible_v<Sequence, Buffer> ? 1 : 1024;
  static_assert(std::is_trivially_destructible_v<Buffer>);

  Buffer* slices() noexcept { return reinterpret_cast<Buffer*>(storage_.data()); }

  alignas(Buffer) std::array<std::byte, most * sizeof(Buffer)> storage_;
  std::size_t count_ = 0;
};

}  // namespace cotls::detail
