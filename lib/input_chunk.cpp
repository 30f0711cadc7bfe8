#include <cotls/detail/input_chunk.hpp>

#include <utility>
#include <vector>

namespace cotls::detail {

namespace {

constexpr std::size_t most_pooled = 16;   // a thread's; the rest is freed

thread_local std::vector<std::unique_ptr<std::byte[]>> pool;

}  // namespace

input_chunk input_chunk::borrow() {
  input_chunk chunk;
  if (pool.empty()) {
    chunk.bytes_ = std::make_unique_for_overwrite<std::byte[]>(size);
  } else {
    chunk.bytes_ = std::move(pool.back());
    pool.pop_back();
  }
  return chunk;
}

input_chunk& input_chunk::operator=(input_chunk&& other) noexcept {
  if (this != &other) {
    give_back();
    bytes_ = std::move(other.bytes_);
  }
  return *this;
}

input_chunk::~input_chunk() { give_back(); }

void input_chunk::give_back() noexcept {
  if (!bytes_) return;
  if (pool.capacity() == 0) {
    try {
      pool.reserve(most_pooled);
    } catch (...) {
      bytes_.reset();
      return;
    }
  }
  if (pool.size() < most_pooled) pool.push_back(std::move(bytes_));
  bytes_.reset();
}

}  // namespace cotls::detail
