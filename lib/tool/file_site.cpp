#include "file_site.hpp"

#include "http_date.hpp"
#include "http_target.hpp"

#include <boost/system/system_error.hpp>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace cotls::tool {

namespace {

// Never beyond the directory; never waits for the other end of a FIFO.
detail::owned_descriptor open_beneath(int directory, char const* path,
                                      std::uint64_t flags) noexcept {
  open_how how{};
  how.flags = flags | O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return detail::owned_descriptor(
      static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how)));
}

detail::owned_descriptor open_directory(std::filesystem::path const& path) {
  detail::owned_descriptor opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || !open_beneath(opened.get(), ".", O_DIRECTORY)) {
    throw boost::system::system_error(errno, boost::system::system_category(),
                                      "opening the directory " + path.string() + " failed");
  }
  return opened;
}

// Where a path cannot be said to lead to anything, it leads to nothing.
http_status status_of_failed_open(int error) noexcept {
  switch (error) {
    case EACCES:
    case EPERM: return http_status::forbidden;
    case EMFILE:
    case ENFILE:
    case ENOMEM: return http_status::unavailable;
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV:          // out of the directory
    case ENAMETOOLONG:
    case ENXIO:          // a socket
    case ENODEV: return http_status::not_found;
    default: return http_status::internal_error;
  }
}

file_version version_of(struct stat const& found) {
  char tag[48];
  std::snprintf(tag, sizeof tag, "\"%llx.%lx-%llx\"",
                static_cast<unsigned long long>(found.st_mtim.tv_sec),
                static_cast<unsigned long>(found.st_mtim.tv_nsec),
                static_cast<unsigned long long>(found.st_size));
  return {tag, found.st_mtim.tv_sec, static_cast<std::uint64_t>(found.st_size)};
}

// What every answer begins with.
std::string begin_head(http_status status, std::time_t now) {
  std::string head = "HTTP/1.1 " + std::to_string(static_cast<unsigned>(status)) + ' ';
  head.append(reason_phrase(status));
  head += "\r\nServer: cotls\r\nDate: " + http_date(now) + "\r\n";
  return head;
}

void add_field(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

// A client of HTTP/1.0 must be told that the connection goes on, others that it does not.
void end_head(std::string& head, http_request const& request, bool keep_alive) {
  if (!keep_alive) add_field(head, "Connection", "close");
  if (keep_alive && request.minor_version == 0) add_field(head, "Connection", "keep-alive");
  head += "\r\n";
}

http_answer answer_in_words(http_request const& request, http_status status, bool keep_alive,
                            std::time_t now, std::string const& more_fields = {}) {
  std::string content = std::to_string(static_cast<unsigned>(status)) + ' ';
  content.append(reason_phrase(status)).append("\n");
  http_answer answer;
  answer.status = status;
  answer.head = begin_head(status, now);
  add_field(answer.head, "Content-Type", "text/plain; charset=utf-8");
  add_field(answer.head, "Content-Length", std::to_string(content.size()));
  answer.head += more_fields;
  end_head(answer.head, request, keep_alive);
  if (request.method != "HEAD") answer.head += content;
  return answer;
}

std::string content_range(byte_range const& part, std::uint64_t size) {
  return "bytes " + std::to_string(part.first) + '-' +
         std::to_string(part.first + part.length - 1) + '/' + std::to_string(size);
}

}  // namespace

file_site::file_site(std::filesystem::path const& directory)
    : directory_(open_directory(directory)) {}

http_answer file_site::refuse(http_status status, std::time_t now) {
  return answer_in_words(http_request(), status, false, now);
}

http_answer file_site::answer(http_request const& request, bool keep_alive,
                              std::time_t now) const {
  if (request.method != "GET" && request.method != "HEAD") {
    return answer_in_words(request, http_status::method_not_allowed, keep_alive, now,
                           "Allow: GET, HEAD\r\n");
  }
  auto const path = decode_target(request.target);
  if (!path) return answer_in_words(request, http_status::bad_request, keep_alive, now);
  if (is_hidden(*path)) return answer_in_words(request, http_status::not_found, keep_alive, now);
  return answer_file(request, path->ends_with('/') ? *path + "index.html" : *path, keep_alive,
                     now);
}

http_answer file_site::answer_file(http_request const& request, std::string const& path,
                                   bool keep_alive, std::time_t now) const {
  using kind = range_request::kind;
  auto const in_words = [&](http_status status, std::string const& more_fields = {}) {
    return answer_in_words(request, status, keep_alive, now, more_fields);
  };
  http_answer answer;
  answer.file = open_beneath(directory_.get(), path.c_str() + 1, 0);
  if (!answer.file) return in_words(status_of_failed_open(errno));
  struct stat found {};
  if (::fstat(answer.file.get(), &found) != 0) return in_words(http_status::internal_error);
  if (S_ISDIR(found.st_mode)) {
    std::string const query = request.target.substr(std::min(request.target.find('?'),
                                                             request.target.size()));
    return in_words(http_status::moved_permanently,
                    "Location: " + encode_path(path) + '/' + query + "\r\n");
  }
  if (!S_ISREG(found.st_mode)) return in_words(http_status::not_found);

  file_version const version = version_of(found);
  auto const refused = judge_conditions(request, version);
  if (refused == http_status::precondition_failed) return in_words(*refused);
  bool const unchanged = refused.has_value();
  // RFC 9110 section 14.2: "A server MUST ignore a Range header field received with a request
  // method that is unrecognized or for which range handling is not defined": it is for GET alone.
  range_request const range =
      request.method == "GET" && !unchanged ? find_range(request, version) : range_request();
  if (range.what == kind::unsatisfiable) {
    return in_words(http_status::range_not_satisfiable,
                    "Content-Range: bytes */" + std::to_string(version.size) + "\r\n");
  }
  bool const is_part = range.what == kind::part;
  answer.part = is_part ? range.part : byte_range{0, version.size};
  answer.status = unchanged ? http_status::not_modified
                  : is_part ? http_status::partial_content
                            : http_status::ok;
  answer.head = begin_head(answer.status, now);
  add_field(answer.head, "ETag", version.tag);
  add_field(answer.head, "Last-Modified", http_date(version.changed));
  if (!unchanged) {
    add_field(answer.head, "Content-Type", media_type(path));
    add_field(answer.head, "Content-Length", std::to_string(answer.part.length));
    add_field(answer.head, "Accept-Ranges", "bytes");
    add_field(answer.head, "X-Content-Type-Options", "nosniff");
  }
  if (is_part) add_field(answer.head, "Content-Range", content_range(answer.part, version.size));
  end_head(answer.head, request, keep_alive);
  if (unchanged || request.method == "HEAD") answer.part.length = 0;
  return answer;
}

}  // namespace cotls::tool
