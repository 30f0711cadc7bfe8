#pragma once

#include <cotls/session.hpp>

#include <filesystem>
#include <optional>

namespace cotls {

/** A file that keeps a client's newest session for the next run of a program. It is readable for
    its owner alone, and whoever can change it can pretend to be the server (`session`).

    @par Concurrency Thread-safe, and beside other processes: a session that is to be offered once
    is taken by one of them.
*/
class session_file {
 public:
  explicit session_file(std::filesystem::path path);

  /** Takes the session; none where there is no file, or where it has expired. What is to be offered
      once is no longer in the file then.
      @par Errors `errc::invalid_session` for a file with anything else, which stays; the system's,
      among them `permission_denied` for a file that others may read or change, or own */
  std::optional<session> take() const;

  /** Keeps a session in the place of the one before.
      @par Errors `errc::invalid_session` for a file of something else, which stays; the system's */
  void put(session const& newest) const;

  std::filesystem::path const& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace cotls
