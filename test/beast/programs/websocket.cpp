// A WebSocket over TLS: blocking, with callbacks and with stackful coroutines.

#include <future>
#include <tls_stream.hpp>

#include <boost/asio/connect.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace cotls::test {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace net = boost::asio;
namespace ssl = net::ssl;
namespace websocket = beast::websocket;
using tcp = net::ip::tcp;

constexpr char const* host = "localhost";
constexpr std::chrono::seconds patience(20);

void check(beast::error_code code, char const* what) {
  if (code) throw beast::system_error(code, what);
}

// Whether a read's error is the end of the conversation.
bool is_end(beast::error_code code) {
  if (code == websocket::error::closed) return true;
  check(code, "read");
  return false;
}

template <class Stream>
void ask_for_host(Stream& stream) {
  if (!SSL_set_tlsext_host_name(stream.native_handle(), host)) {
    throw beast::system_error(beast::error_code(static_cast<int>(::ERR_get_error()),
                                                net::error::get_ssl_category()));
  }
}

auto name_agent(char const* agent, http::field field) {
  return websocket::stream_base::decorator([agent, field](auto& message) {
    message.set(field, agent);
  });
}

std::string blocking_client(unsigned short port, std::string const& text) {
  net::io_context io;
  ssl::context context = trusting_context();
  tcp::resolver resolver(io);
  websocket::stream<tls_stream<tcp::socket>> ws(io, context);
  auto const addresses = resolver.resolve(host, std::to_string(port));
  net::connect(beast::get_lowest_layer(ws), addresses);
  ask_for_host(ws.next_layer());
  ws.next_layer().handshake(ssl::stream_base::client);
  ws.set_option(name_agent("a client", http::field::user_agent));
  ws.handshake(host, "/");
  ws.write(net::buffer(text));
  beast::flat_buffer buffer;
  ws.read(buffer);
  ws.close(websocket::close_code::normal);
  return beast::buffers_to_string(buffer.data());
}

void blocking_server(std::promise<unsigned short>& listening) {
  net::io_context io(1);
  ssl::context context = serving_context();
  tcp::acceptor acceptor(io, {net::ip::make_address("127.0.0.1"), 0});
  listening.set_value(acceptor.local_endpoint().port());
  tcp::socket socket(io);
  acceptor.accept(socket);
  websocket::stream<tls_stream<tcp::socket>> ws(std::move(socket), context);
  ws.next_layer().handshake(ssl::stream_base::server);
  ws.set_option(name_agent("a server", http::field::server));
  ws.accept();
  for (;;) {
    beast::flat_buffer buffer;
    beast::error_code code;
    ws.read(buffer, code);
    if (is_end(code)) return;
    ws.text(ws.got_text());
    ws.write(net::buffer(answer_to(beast::buffers_to_string(buffer.data()))));
  }
}

class client_session : public std::enable_shared_from_this<client_session> {
 public:
  client_session(net::io_context& io, ssl::context& context, std::string text)
      : resolver_(net::make_strand(io)), ws_(net::make_strand(io), context),
        text_(std::move(text)) {}

  std::string answer() const { return beast::buffers_to_string(buffer_.data()); }

  void run(unsigned short port) {
    resolver_.async_resolve(
        host, std::to_string(port),
        beast::bind_front_handler(&client_session::on_resolve, shared_from_this()));
  }

 private:
  void on_resolve(beast::error_code code, tcp::resolver::results_type results) {
    check(code, "resolve");
    beast::get_lowest_layer(ws_).expires_after(patience);
    beast::get_lowest_layer(ws_).async_connect(
        results, beast::bind_front_handler(&client_session::on_connect, shared_from_this()));
  }

  void on_connect(beast::error_code code, tcp::resolver::results_type::endpoint_type) {
    check(code, "connect");
    beast::get_lowest_layer(ws_).expires_after(patience);
    ask_for_host(ws_.next_layer());
    ws_.next_layer().async_handshake(
        ssl::stream_base::client,
        beast::bind_front_handler(&client_session::on_ssl_handshake, shared_from_this()));
  }

  void on_ssl_handshake(beast::error_code code) {
    check(code, "TLS handshake");
    beast::get_lowest_layer(ws_).expires_never();
    ws_.set_option(websocket::stream_base::timeout::suggested(beast::role_type::client));
    ws_.set_option(name_agent("a client", http::field::user_agent));
    ws_.async_handshake(
        host, "/", beast::bind_front_handler(&client_session::on_handshake, shared_from_this()));
  }

  void on_handshake(beast::error_code code) {
    check(code, "handshake");
    ws_.async_write(net::buffer(text_),
                    beast::bind_front_handler(&client_session::on_write, shared_from_this()));
  }

  void on_write(beast::error_code code, std::size_t) {
    check(code, "write");
    ws_.async_read(buffer_,
                   beast::bind_front_handler(&client_session::on_read, shared_from_this()));
  }

  void on_read(beast::error_code code, std::size_t) {
    check(code, "read");
    ws_.async_close(websocket::close_code::normal,
                    beast::bind_front_handler(&client_session::on_close, shared_from_this()));
  }

  void on_close(beast::error_code code) { check(code, "close"); }

  tcp::resolver resolver_;
  websocket::stream<tls_stream<beast::tcp_stream>> ws_;
  beast::flat_buffer buffer_;
  std::string text_;
};

std::string callback_client(unsigned short port, std::string const& text) {
  net::io_context io;
  ssl::context context = trusting_context();
  auto const session = std::make_shared<client_session>(io, context, text);
  session->run(port);
  io.run();
  return session->answer();
}

class server_session : public std::enable_shared_from_this<server_session> {
 public:
  server_session(tcp::socket&& socket, ssl::context& context) : ws_(std::move(socket), context) {}

  void run() {
    net::dispatch(ws_.get_executor(),
                  beast::bind_front_handler(&server_session::on_run, shared_from_this()));
  }

 private:
  void on_run() {
    beast::get_lowest_layer(ws_).expires_after(patience);
    ws_.next_layer().async_handshake(
        ssl::stream_base::server,
        beast::bind_front_handler(&server_session::on_handshake, shared_from_this()));
  }

  void on_handshake(beast::error_code code) {
    check(code, "TLS handshake");
    beast::get_lowest_layer(ws_).expires_never();
    ws_.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    ws_.set_option(name_agent("a server", http::field::server));
    ws_.async_accept(beast::bind_front_handler(&server_session::on_accept, shared_from_this()));
  }

  void on_accept(beast::error_code code) {
    check(code, "accept");
    do_read();
  }

  void do_read() {
    ws_.async_read(buffer_,
                   beast::bind_front_handler(&server_session::on_read, shared_from_this()));
  }

  void on_read(beast::error_code code, std::size_t) {
    if (is_end(code)) return;
    answer_ = answer_to(beast::buffers_to_string(buffer_.data()));
    ws_.text(ws_.got_text());
    ws_.async_write(net::buffer(answer_),
                    beast::bind_front_handler(&server_session::on_write, shared_from_this()));
  }

  void on_write(beast::error_code code, std::size_t) {
    check(code, "write");
    buffer_.consume(buffer_.size());
    do_read();
  }

  websocket::stream<tls_stream<beast::tcp_stream>> ws_;
  beast::flat_buffer buffer_;
  std::string answer_;
};

void callback_server(std::promise<unsigned short>& listening) {
  net::io_context io;
  ssl::context context = serving_context();
  tcp::acceptor acceptor(io, {net::ip::make_address("127.0.0.1"), 0});
  acceptor.async_accept(net::make_strand(io), [&](beast::error_code code, tcp::socket socket) {
    check(code, "accept");
    std::make_shared<server_session>(std::move(socket), context)->run();
  });
  listening.set_value(acceptor.local_endpoint().port());
  io.run();
}

void rethrow(std::exception_ptr thrown) {
  if (thrown) std::rethrow_exception(thrown);
}

std::string fiber_client(unsigned short port, std::string const& text) {
  net::io_context io;
  ssl::context context = trusting_context();
  std::string answer;
  auto session = [&](net::yield_context yield) {
    beast::error_code code;
    tcp::resolver resolver(io);
    websocket::stream<tls_stream<beast::tcp_stream>> ws(io, context);
    auto const addresses = resolver.async_resolve(host, std::to_string(port), yield[code]);
    check(code, "resolve");
    beast::get_lowest_layer(ws).expires_after(patience);
    beast::get_lowest_layer(ws).async_connect(addresses, yield[code]);
    check(code, "connect");
    ask_for_host(ws.next_layer());
    ws.next_layer().async_handshake(ssl::stream_base::client, yield[code]);
    check(code, "TLS handshake");
    beast::get_lowest_layer(ws).expires_never();
    ws.set_option(websocket::stream_base::timeout::suggested(beast::role_type::client));
    ws.async_handshake(host, "/", yield[code]);
    check(code, "handshake");
    ws.async_write(net::buffer(text), yield[code]);
    check(code, "write");
    beast::flat_buffer buffer;
    ws.async_read(buffer, yield[code]);
    check(code, "read");
    ws.async_close(websocket::close_code::normal, yield[code]);
    check(code, "close");
    answer = beast::buffers_to_string(buffer.data());
  };
  net::spawn(io, session, rethrow);
  io.run();
  return answer;
}

void fiber_server(std::promise<unsigned short>& listening) {
  net::io_context io;
  ssl::context context = serving_context();
  tcp::acceptor acceptor(io, {net::ip::make_address("127.0.0.1"), 0});
  listening.set_value(acceptor.local_endpoint().port());
  auto session = [&](net::yield_context yield) {
    beast::error_code code;
    tcp::socket socket(io);
    acceptor.async_accept(socket, yield[code]);
    check(code, "accept");
    websocket::stream<tls_stream<beast::tcp_stream>> ws(std::move(socket), context);
    beast::get_lowest_layer(ws).expires_after(patience);
    ws.next_layer().async_handshake(ssl::stream_base::server, yield[code]);
    check(code, "TLS handshake");
    beast::get_lowest_layer(ws).expires_never();
    ws.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    ws.async_accept(yield[code]);
    check(code, "accept");
    for (;;) {
      beast::flat_buffer buffer;
      ws.async_read(buffer, yield[code]);
      if (is_end(code)) break;
      std::string const answer = answer_to(beast::buffers_to_string(buffer.data()));
      ws.text(ws.got_text());
      ws.async_write(net::buffer(answer), yield[code]);
      check(code, "write");
    }
  };
  net::spawn(io, session, rethrow);
  io.run();
}

}  // namespace

template <>
program_family websocket_programs<under_test>() {
  return {{{"blocking", blocking_client}, {"callback", callback_client}, {"fiber", fiber_client}},
          {{"blocking", blocking_server}, {"callback", callback_server}, {"fiber", fiber_server}}};
}

}  // namespace cotls::test
