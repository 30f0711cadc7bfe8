#include <cotls/session_file.hpp>

#include "error/fail.hpp"
#include "session/session_bytes.hpp"
#include "system/private_file.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace cotls {

namespace {

constexpr std::size_t most_in_session_file = (1 << 20) + 1;   // one byte more than any session has

// What names the file when it is no session.
class session_in_file {
 public:
  session_in_file(std::filesystem::path const& path, std::string doing)
      : doing_(std::move(doing)),
        bytes_(detail::read_private_file(path, most_in_session_file, doing_)) {}
  session_in_file(session_in_file const&) = delete;
  session_in_file& operator=(session_in_file const&) = delete;
  ~session_in_file() {
    if (bytes_) OPENSSL_cleanse(bytes_->data(), bytes_->size());
  }

  bool is_there() const noexcept { return bytes_.has_value(); }

  // A file that was begun and never written is as good as none.
  bool is_of_sessions() const noexcept {
    return !bytes_ || bytes_->empty() || detail::looks_like_session(*bytes_);
  }

  std::optional<session> read() const {
    try {
      return session::from_bytes(*bytes_);
    } catch (error const& wrong) {
      if (wrong.code() == errc::session_expired) return std::nullopt;
      detail::fail(wrong.code(), doing_);
    }
  }

 private:
  std::string const doing_;
  std::optional<std::vector<unsigned char>> bytes_;
};

}  // namespace

session_file::session_file(std::filesystem::path path) : path_(std::move(path)) {}

std::optional<session> session_file::take() const {
  std::string const doing = "reading the session " + path_.string();
  session_in_file const seen(path_, doing);
  if (!seen.is_there()) return std::nullopt;
  auto const found = seen.read();
  if (!found || !found->single_use()) return found;
  std::filesystem::path const taken = detail::take_file(path_, doing);
  if (taken.empty()) return std::nullopt;   // by somebody else
  session_in_file const ours(taken, doing);
  std::error_code gone;
  std::filesystem::remove(taken, gone);
  return ours.is_there() ? ours.read() : std::nullopt;
}

void session_file::put(session const& newest) const {
  std::string const doing = "writing the session " + path_.string();
  if (!session_in_file(path_, doing).is_of_sessions()) detail::fail(errc::invalid_session, doing);
  std::vector<unsigned char> bytes = newest.bytes();
  try {
    detail::replace_private_file(path_, bytes, doing);
  } catch (...) {
    OPENSSL_cleanse(bytes.data(), bytes.size());
    throw;
  }
  OPENSSL_cleanse(bytes.data(), bytes.size());
}

}  // namespace cotls
