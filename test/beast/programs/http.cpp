// HTTP over TLS: blocking, with callbacks and with stackful coroutines.

#include <future>
#include <tls_stream.hpp>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

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
using tcp = net::ip::tcp;
using request = http::request<http::string_body>;
using response = http::response<http::string_body>;

constexpr char const* host = "localhost";
constexpr std::chrono::seconds patience(20);

request make_request(std::string const& text) {
  request made(http::verb::post, "/", 11, text);
  made.set(http::field::host, host);
  made.set(http::field::user_agent, "a program");
  made.prepare_payload();
  return made;
}

http::message_generator make_response(request&& to) {
  response made(http::status::ok, to.version());
  made.set(http::field::content_type, "text/plain");
  made.keep_alive(to.keep_alive());
  made.body() = answer_to(to.body());
  made.prepare_payload();
  return made;
}

void check(beast::error_code code, char const* what) {
  if (code) throw beast::system_error(code, what);
}

// Whether a read's error is the end of the client's requests.
bool is_end(beast::error_code code) {
  if (code == http::error::end_of_stream) return true;
  check(code, "read");
  return false;
}

// Some peers say nothing when they shut down; what was agreed upon is here all the same.
void check_shutdown(beast::error_code code) {
  if (code == net::error::eof) code = {};
  check(code, "shutdown");
}

template <class Stream>
void ask_for_host(Stream& stream) {
  if (!SSL_set_tlsext_host_name(stream.native_handle(), host)) {
    throw beast::system_error(beast::error_code(static_cast<int>(::ERR_get_error()),
                                                net::error::get_ssl_category()));
  }
}

std::string blocking_client(unsigned short port, std::string const& text) {
  net::io_context io;
  ssl::context context = trusting_context();
  tcp::resolver resolver(io);
  tls_stream<beast::tcp_stream> stream(io, context);
  ask_for_host(stream);
  auto const addresses = resolver.resolve(host, std::to_string(port));
  beast::get_lowest_layer(stream).connect(addresses);
  stream.handshake(ssl::stream_base::client);

  http::write(stream, make_request(text));
  beast::flat_buffer buffer;
  response answer;
  http::read(stream, buffer, answer);

  beast::error_code code;
  stream.shutdown(code);
  check_shutdown(code);
  return answer.body();
}

void blocking_server(std::promise<unsigned short>& listening) {
  net::io_context io(1);
  ssl::context context = serving_context();
  tcp::acceptor acceptor(io, {net::ip::make_address("127.0.0.1"), 0});
  listening.set_value(acceptor.local_endpoint().port());
  tcp::socket socket(io);
  acceptor.accept(socket);
  tls_stream<tcp::socket&> stream(socket, context);
  beast::error_code code;
  stream.handshake(ssl::stream_base::server, code);
  check(code, "handshake");
  beast::flat_buffer buffer;
  for (;;) {
    request asked;
    http::read(stream, buffer, asked, code);
    if (is_end(code)) break;
    http::message_generator answer = make_response(std::move(asked));
    bool const keep_alive = answer.keep_alive();
    beast::write(stream, std::move(answer), code);
    check(code, "write");
    if (!keep_alive) break;
  }
  stream.shutdown(code);
  check_shutdown(code);
}

class client_session : public std::enable_shared_from_this<client_session> {
 public:
  client_session(net::any_io_executor executor, ssl::context& context)
      : resolver_(executor), stream_(executor, context) {}

  response answer;

  void run(unsigned short port, std::string const& text) {
    ask_for_host(stream_);
    request_ = make_request(text);
    resolver_.async_resolve(
        host, std::to_string(port),
        beast::bind_front_handler(&client_session::on_resolve, shared_from_this()));
  }

 private:
  void on_resolve(beast::error_code code, tcp::resolver::results_type results) {
    check(code, "resolve");
    beast::get_lowest_layer(stream_).expires_after(patience);
    beast::get_lowest_layer(stream_).async_connect(
        results, beast::bind_front_handler(&client_session::on_connect, shared_from_this()));
  }

  void on_connect(beast::error_code code, tcp::resolver::results_type::endpoint_type) {
    check(code, "connect");
    stream_.async_handshake(
        ssl::stream_base::client,
        beast::bind_front_handler(&client_session::on_handshake, shared_from_this()));
  }

  void on_handshake(beast::error_code code) {
    check(code, "handshake");
    beast::get_lowest_layer(stream_).expires_after(patience);
    http::async_write(stream_, request_,
                      beast::bind_front_handler(&client_session::on_write, shared_from_this()));
  }

  void on_write(beast::error_code code, std::size_t) {
    check(code, "write");
    http::async_read(stream_, buffer_, answer,
                     beast::bind_front_handler(&client_session::on_read, shared_from_this()));
  }

  void on_read(beast::error_code code, std::size_t) {
    check(code, "read");
    beast::get_lowest_layer(stream_).expires_after(patience);
    stream_.async_shutdown(
        beast::bind_front_handler(&client_session::on_shutdown, shared_from_this()));
  }

  void on_shutdown(beast::error_code code) { check_shutdown(code); }

  tcp::resolver resolver_;
  tls_stream<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
  request request_;
};

std::string callback_client(unsigned short port, std::string const& text) {
  net::io_context io;
  ssl::context context = trusting_context();
  auto const session = std::make_shared<client_session>(net::make_strand(io), context);
  session->run(port, text);
  io.run();
  return session->answer.body();
}

class server_session : public std::enable_shared_from_this<server_session> {
 public:
  server_session(tcp::socket&& socket, ssl::context& context)
      : stream_(std::move(socket), context) {}

  void run() {
    net::dispatch(stream_.get_executor(),
                  beast::bind_front_handler(&server_session::on_run, shared_from_this()));
  }

 private:
  void on_run() {
    beast::get_lowest_layer(stream_).expires_after(patience);
    stream_.async_handshake(
        ssl::stream_base::server,
        beast::bind_front_handler(&server_session::on_handshake, shared_from_this()));
  }

  void on_handshake(beast::error_code code) {
    check(code, "handshake");
    do_read();
  }

  void do_read() {
    request_ = {};
    beast::get_lowest_layer(stream_).expires_after(patience);
    http::async_read(stream_, buffer_, request_,
                     beast::bind_front_handler(&server_session::on_read, shared_from_this()));
  }

  void on_read(beast::error_code code, std::size_t) {
    if (is_end(code)) return do_close();
    http::message_generator answer = make_response(std::move(request_));
    bool const keep_alive = answer.keep_alive();
    beast::async_write(stream_, std::move(answer),
                       beast::bind_front_handler(&server_session::on_write, shared_from_this(),
                                                 keep_alive));
  }

  void on_write(bool keep_alive, beast::error_code code, std::size_t) {
    check(code, "write");
    if (!keep_alive) return do_close();
    do_read();
  }

  void do_close() {
    beast::get_lowest_layer(stream_).expires_after(patience);
    stream_.async_shutdown(
        beast::bind_front_handler(&server_session::on_shutdown, shared_from_this()));
  }

  void on_shutdown(beast::error_code code) { check_shutdown(code); }

  tls_stream<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
  request request_;
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
  response answer;
  auto session = [&](net::yield_context yield) {
    beast::error_code code;
    tcp::resolver resolver(io);
    tls_stream<beast::tcp_stream> stream(io, context);
    ask_for_host(stream);
    auto const addresses = resolver.async_resolve(host, std::to_string(port), yield[code]);
    check(code, "resolve");
    beast::get_lowest_layer(stream).expires_after(patience);
    beast::get_lowest_layer(stream).async_connect(addresses, yield[code]);
    check(code, "connect");
    stream.async_handshake(ssl::stream_base::client, yield[code]);
    check(code, "handshake");
    request const asked = make_request(text);
    http::async_write(stream, asked, yield[code]);
    check(code, "write");
    beast::flat_buffer buffer;
    http::async_read(stream, buffer, answer, yield[code]);
    check(code, "read");
    stream.async_shutdown(yield[code]);
    check_shutdown(code);
  };
  net::spawn(io, session, rethrow);
  io.run();
  return answer.body();
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
    tls_stream<beast::tcp_stream> stream(beast::tcp_stream(std::move(socket)), context);
    beast::get_lowest_layer(stream).expires_after(patience);
    stream.async_handshake(ssl::stream_base::server, yield[code]);
    check(code, "handshake");
    beast::flat_buffer buffer;
    for (;;) {
      beast::get_lowest_layer(stream).expires_after(patience);
      request asked;
      http::async_read(stream, buffer, asked, yield[code]);
      if (is_end(code)) break;
      http::message_generator answer = make_response(std::move(asked));
      bool const keep_alive = answer.keep_alive();
      beast::async_write(stream, std::move(answer), yield[code]);
      check(code, "write");
      if (!keep_alive) break;
    }
    stream.async_shutdown(yield[code]);
    check_shutdown(code);
  };
  net::spawn(io, session, rethrow);
  io.run();
}

}  // namespace

template <>
program_family http_programs<under_test>() {
  return {{{"blocking", blocking_client}, {"callback", callback_client}, {"fiber", fiber_client}},
          {{"blocking", blocking_server}, {"callback", callback_server}, {"fiber", fiber_server}}};
}

}  // namespace cotls::test
