#include "services.hpp"

#include "file_site.hpp"
#include "http_request.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

namespace cotls::tool {

namespace {

// Four whole records: what one send of the library's takes.
constexpr std::size_t chunk_size = 65536;

// One client's requests, one after another; those behind the first may have come already.
class conversation {
 public:
  conversation(file_site const& site, session& client)
      : site_(site), client_(client), is_early_(client.may_be_early()) {}

  asio::awaitable<void> run() {
    bool goes_on = true;
    while (goes_on && !client_.stopping()) {
      parsed_request const parsed = co_await next_request();
      if (parsed.what == parsed_request::state::incomplete) co_return;   // the client has gone
      goes_on = co_await answer(parsed);
    }
    // Goodbye is said behind the handshake.
    std::array<char, 512> unwanted;
    while (is_early_) co_await read_some(asio::buffer(unwanted));
  }

 private:
  asio::awaitable<parsed_request> next_request() {
    client_.wait_for_client();
    parsed_request parsed = parse_request(received_);
    while (parsed.what == parsed_request::state::incomplete) {
      std::size_t const before = received_.size();
      received_.resize(before + 4096);
      std::optional<std::size_t> const size = co_await read_some(
          asio::buffer(received_.data() + before, received_.size() - before));
      received_.resize(before + size.value_or(0));
      if (!size) co_return parsed_request();
      parsed = parse_request(received_);
    }
    received_.erase(0, parsed.size);
    client_.progress();
    co_return parsed;
  }

  // Nothing is the client's end: clients often go without a word, between requests, and that is
  // nobody's failure. Early data ends with none, behind which the handshake goes on.
  asio::awaitable<std::optional<std::size_t>> read_some(asio::mutable_buffer into) {
    tcp_stream& from = client_.stream();
    constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
    if (is_early_) {
      auto const [code, size] = co_await from.async_read_early(into, as_result);
      if (code && code != asio::error::eof) throw from.last_error();
      if (!code) co_return size;
      co_await from.async_handshake();
      is_early_ = false;
      client_.report_certificate();
      co_return 0u;
    }
    auto const [code, size] = co_await from.async_read_some(into, as_result);
    if (code) co_return std::nullopt;
    co_return size;
  }

  // RFC 8470 section 3: what is not safe may not be done for whoever has only repeated it, nor for
  // one whom a proxy says so of (section 5.1).
  bool comes_too_early(http_request const& request) const {
    if (request.method == "GET" || request.method == "HEAD") return false;
    return is_early_ || request.value_of("Early-Data") == "1";
  }

  template <class Buffers>
  asio::awaitable<void> write(Buffers const& text) {
    if (is_early_) co_await client_.stream().async_write_early(text);
    else co_await client_.stream().async_write(text);
  }

  // Sends the answer, and says whether the connection goes on. What follows a request as its
  // content is not read, so that nothing of it is taken for another request: the connection ends.
  asio::awaitable<bool> answer(parsed_request const& parsed) {
    http_request const& request = parsed.request;
    bool const is_none = parsed.what == parsed_request::state::refused;
    bool const refused = is_none || comes_too_early(request);
    http_status const status = is_none ? parsed.status : http_status::too_early;
    bool const goes_on =
        !refused && request.keep_alive && !request.has_content && !client_.stopping();
    std::time_t const now = std::time(nullptr);
    http_answer const made = refused ? file_site::refuse(status, now)
                                     : site_.answer(request, goes_on, now);
    co_await send(made);
    client_.report(std::to_string(static_cast<unsigned>(made.status)) + ' ' +
                   (is_none ? "refused" : request.method + ' ' + request.target));
    co_return goes_on;
  }

  // The head leaves together with the beginning of the file, both in one send. Clients that are
  // idle between requests hold no chunk.
  asio::awaitable<void> send(http_answer const& made) {
    auto const room =
        static_cast<std::size_t>(std::min<std::uint64_t>(made.part.length, chunk_size));
    auto const chunk = std::make_unique_for_overwrite<char[]>(room);
    std::size_t const beside_head = chunk_size - std::min(made.head.size(), chunk_size / 2);
    std::uint64_t sent = 0;
    std::size_t size = read_part(made, sent, {chunk.get(), std::min(room, beside_head)});
    std::array<asio::const_buffer, 2> const first{asio::buffer(made.head),
                                                  asio::buffer(chunk.get(), size)};
    co_await write(first);
    for (sent += size; sent < made.part.length; sent += size) {
      client_.progress();
      size = read_part(made, sent, {chunk.get(), room});
      co_await write(asio::buffer(chunk.get(), size));
    }
  }

  // A file that has become shorter than its head says cannot be sent to its end: without its
  // close_notify the client would take the part for the whole, were it to trust the end alone.
  std::size_t read_part(http_answer const& made, std::uint64_t from, std::span<char> to) {
    std::uint64_t const left = made.part.length - from;
    if (!made.file || left == 0) return 0;
    auto const size = static_cast<std::size_t>(std::min<std::uint64_t>(left, to.size()));
    ssize_t const got = ::pread(made.file.get(), to.data(), size,
                                static_cast<off_t>(made.part.first + from));
    if (got > 0) return static_cast<std::size_t>(got);
    error_code ignored;
    client_.stream().next_layer().close(ignored);
    throw std::runtime_error("a file became shorter, or could not be read, while it was sent");
  }

  file_site const& site_;
  session& client_;
  std::string received_;
  bool is_early_;   // the handshake is not done, as far as is known
};

asio::awaitable<void> serve_files(file_site const& site, session& client) {
  conversation talk(site, client);
  co_await talk.run();
}

}  // namespace

server::service file_service(std::filesystem::path const& directory) {
  auto const site = std::make_shared<file_site const>(directory);
  return [site](session& client) { return serve_files(*site, client); };
}

}  // namespace cotls::tool
