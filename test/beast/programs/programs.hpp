#pragma once

#include <boost/asio/ssl/context.hpp>

#include <future>
#include <string>
#include <vector>

// Programs as Beast's and Asio's users write them. Each source is compiled twice: once with the
// stream of Asio or Beast, once with ours. What differs is one header, tls_stream.hpp.

namespace cotls::test {

enum class implementation { asio, cotls };

/** A client says a text to the server at a port of localhost, and returns the answer. */
struct client_program {
  char const* name;
  std::string (*run)(unsigned short port, std::string const& text);
};

/** A server says its port, serves one client, whom it answers with `answer_to`, and ends. */
struct server_program {
  char const* name;
  void (*run)(std::promise<unsigned short>& listening);
};

/** Programs that understand each other. */
struct program_family {
  std::vector<client_program> clients;
  std::vector<server_program> servers;
};

template <implementation Which>
program_family http_programs();
template <implementation Which>
program_family websocket_programs();
template <implementation Which>
program_family callback_programs();

template <>
program_family http_programs<implementation::asio>();
template <>
program_family http_programs<implementation::cotls>();
template <>
program_family websocket_programs<implementation::asio>();
template <>
program_family websocket_programs<implementation::cotls>();
template <>
program_family callback_programs<implementation::asio>();
template <>
program_family callback_programs<implementation::cotls>();

/** Makes a context as a client, or a server, of these programs needs it. */
boost::asio::ssl::context trusting_context();
boost::asio::ssl::context serving_context();

std::string answer_to(std::string const& text);

}  // namespace cotls::test
