#include <cotls/detail/support/access.hpp>

#include "relay.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <cstddef>
#include <vector>

namespace cotls::tool {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t chunk_size = 65536;

}  // namespace

asio::awaitable<bool> send_all(asio::posix::stream_descriptor& from, tcp_stream& to) {
  std::vector<std::byte> chunk(chunk_size);
  bool any = false;
  for (;;) {
    auto const [code, size] = co_await from.async_read_some(asio::buffer(chunk), as_result);
    if (code == asio::error::eof) co_return any;
    if (code) throw descriptor_error("reading the input", code);
    co_await to.async_write(asio::buffer(chunk.data(), size));
    any = true;
  }
}

asio::awaitable<bool> receive_all(tcp_stream& from, asio::posix::stream_descriptor& to) {
  std::vector<std::byte> chunk(chunk_size);
  bool any = false;
  for (;;) {
    auto const [code, size] = co_await from.async_read_some(asio::buffer(chunk), as_result);
    if (code == asio::error::eof) co_return any;
    if (code) throw detail::access::core(from)->failure(code, "receiving");
    any = true;
    auto const [failed, written] =
        co_await asio::async_write(to, asio::buffer(chunk.data(), size), as_result);
    if (failed) throw descriptor_error("writing the output", failed);
  }
}

asio::awaitable<std::exception_ptr> ending_of(asio::awaitable<void> work) {
  try {
    co_await std::move(work);
  } catch (...) {
    co_return std::current_exception();
  }
  co_return nullptr;
}

asio::awaitable<std::exception_ptr> failing_of(asio::awaitable<void> work) {
  std::exception_ptr const failed = co_await ending_of(std::move(work));
  if (failed) co_return failed;
  asio::steady_timer forever(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
  co_await forever.async_wait(as_result);
  co_return nullptr;
}

}  // namespace cotls::tool
