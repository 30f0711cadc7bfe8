#include "system/private_file.hpp"

#include <cotls/detail/system/owned_descriptor.hpp>

#include "error/fail.hpp"
#include "system/system_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

namespace cotls::detail {

namespace {

// Next to it, and of nobody else, in this process or another.
std::filesystem::path beside(std::filesystem::path const& path) {
  static std::atomic<unsigned> counted{0};
  std::filesystem::path made = path;
  made += '.' + std::to_string(::getpid()) + '.' + std::to_string(counted++);
  return made;
}

void check_private(int descriptor, std::string const& doing) {
  struct stat known {};
  if (::fstat(descriptor, &known) != 0) fail(last_system_error(), doing);
  bool const is_ours = known.st_uid == ::geteuid() || known.st_uid == 0;
  bool const is_private = (known.st_mode & (S_IRWXG | S_IRWXO)) == 0;
  if (S_ISREG(known.st_mode) && is_ours && is_private) return;
  fail(make_error_code(boost::system::errc::permission_denied),
       doing + ", which others may read or change,");
}

bool write_all(int descriptor, std::span<unsigned char const> bytes) {
  while (!bytes.empty()) {
    ssize_t const written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::optional<std::vector<unsigned char>> read_private_file(std::filesystem::path const& path,
                                                            std::size_t most,
                                                            std::string const& doing) {
  // One that is a pipe must not make us wait.
  owned_descriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file && errno == ENOENT) return std::nullopt;
  if (!file) fail(last_system_error(), doing);
  check_private(file.get(), doing);
  std::vector<unsigned char> bytes(most);
  std::size_t filled = 0;
  while (filled < most) {
    ssize_t const got = ::read(file.get(), bytes.data() + filled, most - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(last_system_error(), doing);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

void replace_private_file(std::filesystem::path const& path, std::span<unsigned char const> bytes,
                          std::string const& doing) {
  std::filesystem::path const temporary = beside(path);
  owned_descriptor const file(::open(temporary.c_str(),
                                     O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                                     S_IRUSR | S_IWUSR));
  if (!file) fail(last_system_error(), doing);
  bool const done = write_all(file.get(), bytes) &&
                    ::rename(temporary.c_str(), path.c_str()) == 0;
  if (done) return;
  error_code const why = last_system_error();
  ::unlink(temporary.c_str());
  fail(why, doing);
}

std::filesystem::path take_file(std::filesystem::path const& path, std::string const& doing) {
  std::filesystem::path const taken = beside(path);
  if (::rename(path.c_str(), taken.c_str()) == 0) return taken;
  if (errno == ENOENT) return {};
  fail(last_system_error(), doing);
}

}  // namespace cotls::detail
