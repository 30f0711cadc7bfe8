#pragma once

#include "openssl/openssl_ptr.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace cotls::detail {

/** A file's bytes, read at once; wiped when they are let go of, for they may be a key's.

    @par Errors The system's error; its text holds what was tried.
*/
class file_contents {
 public:
  /// @param context What is being tried: `"loading the private key key.pem"`.
  file_contents(std::filesystem::path const& path, std::string const& context);

  std::string_view view() const noexcept { return {bytes_.get(), size_}; }

 private:
  struct wiping_deleter {
    std::size_t capacity;
    void operator()(char* bytes) const noexcept;
  };
  using wiped_bytes = std::unique_ptr<char[], wiping_deleter>;

  static wiped_bytes allocate(std::size_t capacity);
  void grow(std::size_t capacity);

  wiped_bytes bytes_;
  std::size_t size_ = 0;
};

/// Makes a BIO that reads these bytes, which must outlive it.
bio_ptr bio_over(std::string_view bytes);

/// The password callback where no password can be needed: OpenSSL's own would ask on the terminal.
int no_password(char* buffer, int size, int writing, void* unused);

/// Tells whether OpenSSL stopped because the PEM text holds nothing more of the kind it looked for.
bool is_end_of_pem(unsigned long packed) noexcept;

}  // namespace cotls::detail
