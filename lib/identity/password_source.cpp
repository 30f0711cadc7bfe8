#include "identity/password_source.hpp"

#include "error/fail.hpp"

#include <openssl/crypto.h>

#include <cstring>

namespace cotls::detail {

password_source::~password_source() {
  if (asked_) OPENSSL_cleanse(asked_->data(), asked_->size());
}

std::string const& password_source::value(std::string const& doing) {
  if (options_.password()) return *options_.password();
  // Made where it stays: a short text that is moved leaves its characters behind.
  if (!asked_ && options_.ask()) asked_.reset(new std::string(options_.ask()()));
  if (!asked_) fail(errc::password_required, doing);
  return *asked_;
}

int give_password(char* buffer, int size, std::string const* password) noexcept {
  if (!password || size < 0 || password->size() > static_cast<std::size_t>(size)) return -1;
  std::memcpy(buffer, password->data(), password->size());
  return static_cast<int>(password->size());
}

}  // namespace cotls::detail
