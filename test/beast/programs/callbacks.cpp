// An echo with nothing but Asio: callbacks over asio::ssl::stream's spelling.

#include <future>
#include <tls_stream.hpp>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace cotls::test {

namespace {

namespace net = boost::asio;
namespace ssl = net::ssl;
using tcp = net::ip::tcp;
using boost::system::error_code;
using socket_type = asio_tls_stream<tcp::socket>;
using std::placeholders::_1;
using std::placeholders::_2;

void check(error_code code, char const* what) {
  if (code) throw boost::system::system_error(code, what);
}

class client {
 public:
  client(net::io_context& io, ssl::context& context, tcp::resolver::results_type const& addresses,
         std::string text)
      : answer(answer_to(text).size(), '\0'), socket_(io, context), text_(std::move(text)) {
    socket_.set_verify_mode(ssl::verify_peer);
    socket_.set_verify_callback(std::bind(&client::verify_certificate, this, _1, _2));
    connect(addresses);
  }

  std::string answer;
  std::string subjects;   // of the certificates that were looked at

 private:
  bool verify_certificate(bool preverified, ssl::verify_context& context) {
    std::array<char, 256> subject{};
    X509* certificate = X509_STORE_CTX_get_current_cert(context.native_handle());
    X509_NAME_oneline(X509_get_subject_name(certificate), subject.data(),
                      static_cast<int>(subject.size()));
    subjects += subject.data();
    return preverified;
  }

  void connect(tcp::resolver::results_type const& addresses) {
    net::async_connect(socket_.lowest_layer(), addresses,
                       [this](error_code code, tcp::endpoint const&) {
                         check(code, "connect");
                         handshake();
                       });
  }

  void handshake() {
    socket_.async_handshake(ssl::stream_base::client, [this](error_code code) {
      check(code, "handshake");
      send_request();
    });
  }

  void send_request() {
    net::async_write(socket_, net::buffer(text_), [this](error_code code, std::size_t) {
      check(code, "write");
      receive_response();
    });
  }

  void receive_response() {
    net::async_read(socket_, net::buffer(answer),
                    [](error_code code, std::size_t) { check(code, "read"); });
  }

  socket_type socket_;
  std::string text_;
};

std::string run_client(unsigned short port, std::string const& text) {
  net::io_context io;
  ssl::context context = trusting_context();
  tcp::resolver resolver(io);
  client asks(io, context, resolver.resolve("localhost", std::to_string(port)), text);
  io.run();
  if (asks.subjects.find("/CN=localhost") == std::string::npos) {
    throw std::runtime_error("the verify callback has not seen the server's certificate");
  }
  return asks.answer;
}

class session : public std::enable_shared_from_this<session> {
 public:
  explicit session(socket_type socket) : socket_(std::move(socket)) {}

  void start() { do_handshake(); }

 private:
  void do_handshake() {
    auto self(shared_from_this());
    socket_.async_handshake(ssl::stream_base::server, [this, self](error_code code) {
      check(code, "handshake");
      do_read();
    });
  }

  // This client ends without a goodbye, as Asio's own does.
  void do_read() {
    auto self(shared_from_this());
    socket_.async_read_some(net::buffer(data_), [this, self](error_code code, std::size_t length) {
      if (code == ssl::error::stream_truncated) return;
      check(code, "read");
      do_write(length);
    });
  }

  void do_write(std::size_t length) {
    auto self(shared_from_this());
    answer_ = answer_to(std::string(data_.data(), length));
    net::async_write(socket_, net::buffer(answer_), [this, self](error_code code, std::size_t) {
      check(code, "write");
      do_read();
    });
  }

  socket_type socket_;
  std::array<char, 1024> data_{};
  std::string answer_;
};

void run_server(std::promise<unsigned short>& listening) {
  net::io_context io;
  ssl::context context = serving_context();
  tcp::acceptor acceptor(io, {net::ip::address_v4::loopback(), 0});
  acceptor.async_accept([&](error_code code, tcp::socket socket) {
    check(code, "accept");
    std::make_shared<session>(socket_type(std::move(socket), context))->start();
  });
  listening.set_value(acceptor.local_endpoint().port());
  io.run();
}

}  // namespace

template <>
program_family callback_programs<under_test>() {
  return {{{"callback", run_client}}, {{"callback", run_server}}};
}

}  // namespace cotls::test
