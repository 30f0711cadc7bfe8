// A router by the name that a client asks for: it terminates TLS for one host, and passes the
// connections for another through, whole and still encrypted, to the server that has its key.
//
//   client --hello for ours.test---> router: handshake, and an answer of its own
//   client --hello for theirs.test-> router: release, and bytes both ways <--> the other server

#include <cotls/cotls.hpp>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace asio::experimental::awaitable_operators;

// Carries one direction until it ends, and passes the end on.
asio::awaitable<void> carry(tcp::socket& from, tcp::socket& to) {
  std::string chunk(16 * 1024, '\0');
  for (;;) {
    auto const [failed, size] =
        co_await from.async_read_some(asio::buffer(chunk), asio::as_tuple(asio::use_awaitable));
    if (failed) break;
    auto const [unsent, sent] = co_await asio::async_write(
        to, asio::buffer(chunk, size), asio::as_tuple(asio::use_awaitable));
    if (unsent) break;
  }
  boost::system::error_code ignored;
  to.shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> pass_through(tcp::socket client, std::vector<std::byte> hello,
                                   tcp::endpoint server) {
  tcp::socket other(client.get_executor());
  co_await other.async_connect(server, asio::use_awaitable);
  co_await asio::async_write(other, asio::buffer(hello), asio::use_awaitable);   // what was read
  co_await (carry(client, other) && carry(other, client));
}

// Says who has answered.
asio::awaitable<void> answer(cotls::tcp_stream tls, std::string name) {
  co_await tls.async_write(asio::buffer(name));
  co_await tls.async_shutdown();
}

asio::awaitable<void> route(cotls::incoming client, tcp::endpoint other) {
  cotls::client_hello const hello = co_await client.async_client_hello();
  if (hello.server_name == "ours.test") {
    auto tls = co_await client.async_handshake();
    co_await answer(std::move(tls), "ours");
  } else if (hello.server_name == "theirs.test") {
    auto [socket, received] = client.release();
    co_await pass_through(std::move(socket), std::move(received), other);
  } else {
    client.refuse(cotls::alert::unrecognized_name);
  }
}

cotls::server_context serving(cotls::identity const& as) {
  cotls::server_context context;
  context.use(as);
  return context;
}

// The router, a server behind it, and three clients, which ask for ours, theirs and nobody's.
asio::awaitable<bool> try_it() {
  auto const executor = co_await asio::this_coro::executor;
  cotls::identity const ours = cotls::make_self_signed({"ours.test"});
  cotls::identity const theirs = cotls::make_self_signed({"theirs.test"});
  tcp::endpoint const any_port(asio::ip::address_v4::loopback(), 0);
  cotls::listener behind(executor, any_port, serving(theirs));
  cotls::listener router(executor, any_port, serving(ours));
  tcp::endpoint const other(asio::ip::address_v4::loopback(),
                            static_cast<unsigned short>(behind.port()));

  cotls::client_context context;
  context.add_root(ours.chain().leaf()).add_root(theirs.chain().leaf());
  std::string heard;
  auto const ask = [&](std::string name) -> asio::awaitable<void> {
    try {
      tcp::socket socket(executor);
      co_await socket.async_connect(
          {asio::ip::address_v4::loopback(), static_cast<unsigned short>(router.port())},
          asio::use_awaitable);
      cotls::tcp_stream tls(std::move(socket), context, cotls::client_options().host(name));
      std::string said(10, '\0');
      said.resize(co_await tls.async_read_some(asio::buffer(said)));
      heard += said + ' ';
      co_await tls.async_shutdown();
    } catch (cotls::error const& refused) {
      heard += refused.alert() == cotls::alert::unrecognized_name ? "nobody " : refused.what();
    }
  };
  auto const serve_one = [&]() -> asio::awaitable<void> {
    auto tls = co_await behind.async_accept();
    co_await answer(std::move(tls), "theirs");
  };
  auto const route_three = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      auto client = co_await router.async_accept_incoming();
      co_await route(std::move(client), other);
    }
  };
  auto const ask_three = [&]() -> asio::awaitable<void> {
    co_await ask("ours.test");
    co_await ask("theirs.test");
    co_await ask("nobodys.test");
  };
  co_await (serve_one() && route_three() && ask_three());
  std::cout << heard << "\n";
  co_return heard == "ours theirs nobody ";
}

int main() {
  asio::io_context io;
  bool good = false;
  asio::co_spawn(io, try_it(), [&](std::exception_ptr failed, bool as_expected) {
    if (failed) std::rethrow_exception(failed);
    good = as_expected;
  });
  io.run();
  return good ? 0 : 1;
}
