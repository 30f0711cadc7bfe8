#pragma once

#include <cotls/context.hpp>
#include <cotls/reload_options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <time.h>

namespace cotls::detail {

namespace asio = boost::asio;

/// Which file a path leads to, and when it was changed last; all zero when it leads nowhere.
class file_stamp {
 public:
  /// Follows symbolic links.
  explicit file_stamp(std::filesystem::path const& file);

  bool operator==(file_stamp const& other) const noexcept;

  /// True when the file may change once more without showing it: no file system's clock has steps
  /// of more than 2 s.
  bool fresh() const noexcept;

 private:
  std::uintmax_t device_ = 0;
  std::uintmax_t number_ = 0;
  std::uintmax_t size_ = 0;
  timespec written_{};   // the contents
  timespec changed_{};   // the contents or the attributes, in which nobody can write another time
};

/** Makes a context whenever one of its files has changed.

    The files are looked at before they are read, never after: what changes while they are read, or
    later, is another change.
*/
class reloader : public std::enable_shared_from_this<reloader> {
 public:
  using use_function = std::function<void(server_context const&, reloader const& by)>;

  reloader(asio::any_io_executor const& executor, std::vector<std::filesystem::path> files,
           std::function<server_context()> make, reload_options options, use_function use);

  /** Makes the first context.
      @par Errors What `make` throws */
  server_context load();

  /** Begins, or ends, to look at the files. Thread-safe. */
  void start();
  void stop();

 private:
  using clock = std::chrono::steady_clock;

  void look();
  void note_loaded(std::vector<file_stamp> const& before);
  void load_and_tell();
  void tell(std::exception_ptr const& failed) const;
  std::vector<file_stamp> stamps() const;

  std::vector<std::filesystem::path> const files_;
  std::function<server_context()> const make_;
  reload_options const options_;
  use_function const use_;
  std::vector<file_stamp> loaded_;   // of the context in use: what could not be used is tried again
  std::optional<clock::time_point> once_more_;   // when a change that did not show is looked for

  std::mutex mutex_;
  asio::steady_timer timer_;
  bool stopped_ = false;
};

}  // namespace cotls::detail
