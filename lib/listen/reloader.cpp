#include "listen/reloader.hpp"

#include <cotls/error.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace cotls::detail {

namespace {

constexpr std::chrono::seconds coarsest_clock(2);

bool same(timespec const& left, timespec const& right) noexcept {
  return left.tv_sec == right.tv_sec && left.tv_nsec == right.tv_nsec;
}

}  // namespace

file_stamp::file_stamp(std::filesystem::path const& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return;
  device_ = found.st_dev;
  number_ = found.st_ino;
  size_ = static_cast<std::uintmax_t>(found.st_size);
  written_ = found.st_mtim;
  changed_ = found.st_ctim;
}

bool file_stamp::operator==(file_stamp const& other) const noexcept {
  return device_ == other.device_ && number_ == other.number_ && size_ == other.size_ &&
         same(written_, other.written_) && same(changed_, other.changed_);
}

bool file_stamp::fresh() const noexcept {
  return ::time(nullptr) - changed_.tv_sec <= coarsest_clock.count();
}

reloader::reloader(asio::any_io_executor const& executor, std::vector<std::filesystem::path> files,
                   std::function<server_context()> make, reload_options options, use_function use)
    : files_(std::move(files)),
      make_(std::move(make)),
      options_(std::move(options)),
      use_(std::move(use)),
      timer_(executor) {}

std::vector<file_stamp> reloader::stamps() const {
  return {files_.begin(), files_.end()};
}

server_context reloader::load() {
  std::vector<file_stamp> const before = stamps();
  server_context made = make_();
  note_loaded(before);
  return made;
}

void reloader::note_loaded(std::vector<file_stamp> const& before) {
  bool const changed = before != loaded_;
  loaded_ = before;
  once_more_.reset();
  bool const fresh =
      std::any_of(before.begin(), before.end(), [](auto const& one) { return one.fresh(); });
  if (changed && fresh) once_more_ = clock::now() + coarsest_clock;
}

void reloader::load_and_tell() {
  try {
    std::vector<file_stamp> const before = stamps();
    use_(make_(), *this);
    note_loaded(before);
  } catch (...) {
    return tell(std::current_exception());
  }
  tell(nullptr);
}

void reloader::tell(std::exception_ptr const& failed) const {
  if (!options_.observer()) return;
  try {
    options_.observer()(failed);
  } catch (...) {
    // It was told; the files are looked after all the same.
  }
}

void reloader::look() {
  bool const due = once_more_ && clock::now() >= *once_more_;
  if (due || stamps() != loaded_) load_and_tell();
  start();
}

void reloader::start() {
  std::scoped_lock const lock(mutex_);
  if (stopped_) return;
  timer_.expires_after(options_.interval());
  timer_.async_wait([self = shared_from_this()](error_code code) {
    if (!code) self->look();
  });
}

void reloader::stop() {
  std::scoped_lock const lock(mutex_);
  stopped_ = true;
  timer_.cancel();
}

}  // namespace cotls::detail
