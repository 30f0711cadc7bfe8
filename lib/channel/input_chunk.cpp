#include <cotls/detail/channel/input_chunk.hpp>

#include "support/thread_owned.hpp"

#include <utility>
#include <vector>

namespace cotls::detail {

namespace {

constexpr std::size_t most_pooled = 16;   // a thread's; the rest is freed

struct chunk_pool {
  std::vector<std::unique_ptr<std::byte[]>> free;
};

}  // namespace

input_chunk input_chunk::borrow() {
  input_chunk chunk;
  chunk_pool* const pool = thread_owned<chunk_pool>::find();
  if (!pool || pool->free.empty()) {
    chunk.bytes_ = std::make_unique_for_overwrite<std::byte[]>(size);
  } else {
    chunk.bytes_ = std::move(pool->free.back());
    pool->free.pop_back();
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
  std::unique_ptr<std::byte[]> bytes = std::move(bytes_);
  chunk_pool* const pool = bytes ? thread_owned<chunk_pool>::find() : nullptr;
  if (!pool || pool->free.size() == most_pooled) return;
  try {
    pool->free.reserve(most_pooled);
    pool->free.push_back(std::move(bytes));
  } catch (...) {
    // It is freed instead.
  }
}

}  // namespace cotls::detail
