// A server that has no private key: for each handshake it asks a `key_keeper`.
//
//   keyless_server CERTIFICATE.pem SOCKET
//
// No thread waits for the keeper. While there is none, clients are told so by an alert.

#include <cotls/cotls.hpp>

#include <boost/asio.hpp>

#include <array>
#include <exception>
#include <iostream>
#include <string>

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using local = asio::local::stream_protocol;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t max_signature = 4096;

asio::awaitable<cotls::signer::signature> ask(std::string const& socket,
                                              cotls::signature_request const& request) {
  local::socket keeper(co_await asio::this_coro::executor);
  co_await keeper.async_connect(local::endpoint(socket), asio::use_awaitable);

  auto const byte = [](std::size_t value) { return static_cast<unsigned char>(value); };
  auto const& message = request.message();
  auto const scheme = static_cast<std::size_t>(request.scheme());
  std::size_t const size = message.size();
  std::array const header{byte(scheme >> 8), byte(scheme),    byte(size >> 24),
                          byte(size >> 16),  byte(size >> 8), byte(size)};
  std::array const both{asio::buffer(header), asio::buffer(message)};
  co_await asio::async_write(keeper, both, asio::use_awaitable);

  std::array<unsigned char, 4> length;
  co_await asio::async_read(keeper, asio::buffer(length), asio::use_awaitable);
  std::size_t const announced = std::size_t{length[2]} << 8 | length[3];
  if (length[0] != 0 || length[1] != 0 || announced > max_signature) {
    throw std::runtime_error("the keeper does not keep to the protocol");
  }
  cotls::signer::signature made(announced);
  co_await asio::async_read(keeper, asio::buffer(made), asio::use_awaitable);
  co_return made;
}

asio::awaitable<void> greet(cotls::tcp_stream tls) {
  co_await tls.async_write(asio::buffer("good day\n", 9));
  co_await tls.async_shutdown();
}

asio::awaitable<void> serve(cotls::listener& listener) {
  for (;;) {
    auto tls = co_await listener.async_accept();
    auto executor = tls.get_executor();
    asio::co_spawn(executor, greet(std::move(tls)), asio::detached);
  }
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::cerr << "usage: keyless_server CERTIFICATE.pem SOCKET\n";
    return 2;
  }
  try {
    std::string const socket = words[2];
    auto chain = cotls::certificate_chain::from_pem_file(words[1]);
    auto key = cotls::private_key::from_signer(
        chain.leaf(),
        [socket](cotls::signature_request const& request) { return ask(socket, request); });
    cotls::server_context context;
    context.use(cotls::identity(std::move(chain), std::move(key)));

    asio::io_context io;
    cotls::listener_options options;
    options.handshake_timeout(3s).observer([](cotls::accept_failure const& failure) {
      std::cerr << failure.reason().what() << std::endl;
    });
    cotls::listener listener(io.get_executor(), {asio::ip::address_v4::loopback(), 0}, context,
                             options);
    std::cout << "port " << listener.port() << std::endl;
    asio::co_spawn(io, serve(listener), asio::detached);
    io.run();
  } catch (std::exception const& failed) {
    std::cerr << failed.what() << "\n";
    return 1;
  }
}
