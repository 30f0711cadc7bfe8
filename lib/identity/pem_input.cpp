#include "identity/pem_input.hpp"

#include "error/fail.hpp"

#include <openssl/err.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

namespace cotls::detail {

namespace {

constexpr std::size_t first_capacity = 16 * 1024;
constexpr std::size_t max_file = 64 * 1024 * 1024;   // a system's bundle of roots has 200 kB

struct file_closer {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

[[noreturn]] void throw_system_error(int value, std::string const& context) {
  fail({value, boost::system::system_category()}, context);
}

}  // namespace

file_contents::file_contents(std::filesystem::path const& path, std::string const& context)
    : bytes_(allocate(first_capacity)) {
  // "e": not inherited by a program that another thread starts meanwhile.
  std::unique_ptr<std::FILE, file_closer> const file(std::fopen(path.string().c_str(), "rbe"));
  if (!file) throw_system_error(errno, context);
  std::setvbuf(file.get(), nullptr, _IONBF, 0);   // a stdio buffer would keep a copy of the key
  for (;;) {
    std::size_t const room = bytes_.get_deleter().capacity - size_;
    errno = 0;
    std::size_t const got = std::fread(bytes_.get() + size_, 1, room, file.get());
    size_ += got;
    if (got < room && std::ferror(file.get())) throw_system_error(errno, context);
    if (got < room) return;
    if (size_ >= max_file) throw_system_error(EFBIG, context);
    grow(2 * size_);
  }
}

void file_contents::wiping_deleter::operator()(char* bytes) const noexcept {
  OPENSSL_cleanse(bytes, capacity);
  delete[] bytes;
}

file_contents::wiped_bytes file_contents::allocate(std::size_t capacity) {
  return wiped_bytes(new char[capacity], wiping_deleter{capacity});
}

void file_contents::grow(std::size_t capacity) {
  wiped_bytes larger = allocate(capacity);
  std::memcpy(larger.get(), bytes_.get(), size_);
  bytes_ = std::move(larger);
}

bio_ptr bio_over(std::string_view bytes) {
  if (bytes.size() > INT_MAX) throw_system_error(EFBIG, "reading from memory");
  // A null pointer is refused even for no bytes.
  bio_ptr bio(BIO_new_mem_buf(bytes.empty() ? "" : bytes.data(), static_cast<int>(bytes.size())));
  if (!bio) throw_system_error(ENOMEM, "reading from memory");
  return bio;
}

int no_password(char*, int, int, void*) { return -1; }

bool is_end_of_pem(unsigned long packed) noexcept {
  return ERR_GET_LIB(packed) == ERR_LIB_PEM && ERR_GET_REASON(packed) == PEM_R_NO_START_LINE;
}

}  // namespace cotls::detail
