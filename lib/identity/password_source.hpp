#pragma once

#include <cotls/private_key.hpp>

#include <memory>
#include <string>

namespace cotls::detail {

/** What is known of the password while one text is read: given, or asked for once it is needed. The
    answer is wiped. */
class password_source {
 public:
  /** @param options  Must outlive this. */
  explicit password_source(key_options const& options) noexcept : options_(options) {}
  password_source(password_source const&) = delete;
  password_source& operator=(password_source const&) = delete;
  ~password_source();

  /** @param doing  What it is needed for: `"loading the private key key.pem"`.
      @par Errors `errc::password_required` when there is none; what the function of
      `key_options::ask_password` throws */
  std::string const& value(std::string const& doing);

 private:
  key_options const& options_;
  std::unique_ptr<std::string> asked_;
};

/** Writes a password, or none, as OpenSSL's password callbacks do. Returns its length; -1 where
    there is none, or it is too long. */
int give_password(char* buffer, int size, std::string const* password) noexcept;

}  // namespace cotls::detail
