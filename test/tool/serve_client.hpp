#pragma once

#include "tool.hpp"

#include <cotls/blocking.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace cotls::test {

/// A client of `cotls serve` that sends what it is told to, and takes answers apart.
class serve_client {
 public:
  explicit serve_client(serving_tool const& server) {
    client_context context;
    context.load_verify_roots(server.root_file());
    stream_ = blocking::connect("localhost", server.port(), context);
    stream_.set_timeout(std::chrono::seconds(20));
  }

  void send(std::string const& text) { stream_.write(asio::buffer(text)); }

  void get(std::string const& target, std::string const& fields = {}) {
    send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n");
  }

  /// Returns the next answer's status, and keeps its content.
  int answer(bool has_content = true) {
    while (received_.find("\r\n\r\n") == std::string::npos) receive();
    std::size_t const end = received_.find("\r\n\r\n") + 4;
    head = received_.substr(0, end);
    std::size_t const field = head.find("Content-Length: ");
    std::size_t const size =
        field == std::string::npos || !has_content ? 0 : std::stoul(head.substr(field + 16));
    while (received_.size() < end + size) receive();
    content = received_.substr(end, size);
    received_.erase(0, end + size);
    return std::stoi(head.substr(9));
  }

  /// Whether the server says goodbye, and nothing more before it.
  bool has_ended() {
    error_code code;
    char byte = 0;
    std::size_t const got = stream_.read_some(asio::buffer(&byte, 1), code);
    return got == 0 && code == asio::error::eof && received_.empty();
  }

  /// Answers the goodbye of a server, which waits two seconds for that, or says it first.
  void say_goodbye() {
    error_code ignored;   // a server may be in a hurry
    stream_.shutdown(ignored);
  }

  /// Returns all until the server's end, which comes within so many bytes.
  std::string rest(std::size_t most = 1 << 20) {
    error_code code;
    std::string text(most, '\0');
    text.resize(stream_.read(asio::buffer(text), code));
    BOOST_TEST(code == asio::error::eof);
    return text;
  }

  /// Returns a line of text.
  std::string line() {
    std::string text;
    for (char byte = 0; byte != '\n'; text += byte) stream_.read(asio::buffer(&byte, 1));
    text.pop_back();
    return text;
  }

  blocking::stream& stream() { return stream_; }

  std::string head;
  std::string content;

 private:
  void receive() {
    std::string chunk(65536, '\0');
    chunk.resize(stream_.read_some(asio::buffer(chunk)));
    received_ += chunk;
  }

  blocking::stream stream_;
  std::string received_;
};

}  // namespace cotls::test
