#pragma once

#include "blocking.hpp"

#include <istream>
#include <iterator>
#include <string>
#include <utility>

namespace cotls::test {

/// The client's end as ports, the server's as a stream.
struct ports_fixture : blocking_pair {
  static constexpr std::size_t buffered = 16 * 1024;

  blocking::ports both{std::move(client)};
  blocking::input_port& in = both.in;
  blocking::output_port& out = both.out;

  /// Spares the ports the wait for a goodbye that a server in the same thread does not say.
  ~ports_fixture() { vanish(); }

  std::string receive(std::size_t count) {
    std::string text(count, '\0');
    server.read(asio::buffer(text));
    return text;
  }

  void send(std::string const& text) { server.write(asio::buffer(text)); }

  /// All until close_notify; throws what else ends it.
  std::string receive_all() {
    std::string all;
    std::string chunk(4096, '\0');
    for (;;) {
      error_code ended;
      std::size_t const got = server.read_some(asio::buffer(chunk), ended);
      all.append(chunk, 0, got);
      if (ended == asio::error::eof) return all;
      if (ended) throw error(ended);
    }
  }

  /// Ends the peer's connection without close_notify, all that it was sent being read.
  void vanish() { server = blocking::stream(); }
};

inline std::string all_of(std::istream& in) { return {std::istreambuf_iterator<char>(in), {}}; }

}  // namespace cotls::test
