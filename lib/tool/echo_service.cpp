#include <cotls/detail/support/access.hpp>

#include "services.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <vector>

namespace cotls::tool {

namespace {

asio::awaitable<void> echo(session& client) {
  std::vector<std::byte> chunk(16384);
  for (;;) {
    client.wait_for_client();
    auto const [code, size] = co_await client.stream().async_read_some(
        asio::buffer(chunk), asio::as_tuple(asio::use_awaitable));
    if (code == asio::error::eof || code == asio::error::operation_aborted) co_return;
    if (code) throw detail::access::core(client.stream())->failure(code, "receiving");
    client.progress();
    co_await client.stream().async_write(asio::buffer(chunk.data(), size));
  }
}

}  // namespace

server::service echo_service() { return echo; }

}  // namespace cotls::tool
