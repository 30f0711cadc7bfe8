#pragma once

#include "http_conditions.hpp"
#include "http_request.hpp"
#include <cotls/detail/system/owned_descriptor.hpp>

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>

namespace cotls::tool {

/** An answer to a request: what is sent first, and which part of a file behind it. */
struct http_answer {
  http_status status = http_status::ok;
  std::string head;            ///< the head, and the whole content when there is no file
  detail::owned_descriptor file;       ///< empty when the head is all
  byte_range part;
};

/** The files of a directory, as a server of HTTP/1.1 shows them.

    Nothing beyond the directory is ever opened, by `..`, symbolic links or renames meanwhile: the
    kernel resolves each path beneath the directory (`openat2`, RESOLVE_BENEATH). Links inside it
    are followed. Neither hidden files nor lists of files are shown.
*/
class file_site {
 public:
  /** @par Errors The system's, when the directory cannot be opened, or the kernel is older than
      Linux 5.6. */
  explicit file_site(std::filesystem::path const& directory);

  /** Answers a request.
      @param keep_alive  Whether the connection goes on, as the answer says.
      @param now         For the Date field. */
  http_answer answer(http_request const& request, bool keep_alive, std::time_t now) const;

  /** Answers what is no request, and ends the connection. */
  static http_answer refuse(http_status status, std::time_t now);

 private:
  http_answer answer_file(http_request const& request, std::string const& path, bool keep_alive,
                          std::time_t now) const;

  detail::owned_descriptor directory_;
};

}  // namespace cotls::tool
