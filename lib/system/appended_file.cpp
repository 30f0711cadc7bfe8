#include "system/appended_file.hpp"

#include "error/fail.hpp"
#include "system/system_error.hpp"

#include <openssl/crypto.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace cotls::detail {

appended_file::appended_file(std::filesystem::path const& path, std::string const& doing)
    : file_(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
                   S_IRUSR | S_IWUSR)) {
  if (!file_) fail(last_system_error(), doing);
}

// One call a line: with O_APPEND no other program's comes between. What the call takes in part is
// finished before another thread's.
bool appended_file::add(std::string_view line) {
  std::scoped_lock const lock(one_at_a_time_);
  line_.assign(line);
  line_ += '\n';
  std::string_view rest = line_;
  while (!rest.empty()) {
    ssize_t const written = ::write(file_.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  bool const whole = rest.empty();
  OPENSSL_cleanse(line_.data(), line_.size());
  return whole;
}

std::string trusted_variable(char const* name) {
  char const* const value = ::secure_getenv(name);
  return value ? value : "";
}

}  // namespace cotls::detail
