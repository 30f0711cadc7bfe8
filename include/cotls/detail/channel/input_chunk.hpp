#pragma once

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <memory>

namespace cotls::detail {

/** A buffer for what was received, borrowed from a pool of the calling thread for as long as it is
    in use.

    16 KiB and the overhead of a record, so that one read can take a full one (RFC 8446 section
    5.2).
*/
class input_chunk {
 public:
  static constexpr std::size_t size = 17 * 1024;

  input_chunk() noexcept = default;
  input_chunk(input_chunk&&) noexcept = default;
  input_chunk& operator=(input_chunk&& other) noexcept;
  ~input_chunk();

  static input_chunk borrow();

  explicit operator bool() const noexcept { return bytes_ != nullptr; }
  boost::asio::mutable_buffer buffer() const noexcept { return {bytes_.get(), size}; }

 private:
  void give_back() noexcept;
  std::unique_ptr<std::byte[]> bytes_;
};

}  // namespace cotls::detail
