#pragma once

#include "certificates.hpp"
#include "process.hpp"
#include "programs.hpp"
#include "temporary_directory.hpp"
#include "tool.hpp"

#include <string>

namespace cotls::test {

/** Returns a port of 127.0.0.1 that is free, for programs that must be told one. */
int free_port();

/** The files of `certificates::localhost` as most programs want them: the whole chain in one. */
class chain_files {
 public:
  explicit chain_files(entity const& who = certificates::all().localhost)
      : chain(directory_.write("chain.pem", who.pem.chain())), key(who.files.key) {}

 private:
  temporary_directory directory_;

 public:
  std::string const chain;
  std::string const key;
};

/** A program that serves TLS on a port of 127.0.0.1. */
class peer_server {
 public:
  int port() const noexcept { return port_; }
  std::string address() const { return "localhost:" + std::to_string(port_); }
  process& program() noexcept { return process_; }

 protected:
  /** A program that says which port it was given, in a line that begins so. */
  peer_server(words command, std::string const& line_before_port);

  /** A program that was given a port, and prints this when it listens. */
  peer_server(words command, int port, std::string const& ready);

 private:
  process process_;
  int port_;
};

/** `openssl s_server`, whose `-rev` sends each line back in reverse. */
class openssl_server : public peer_server {
 public:
  explicit openssl_server(words const& more = {},
                          entity const& who = certificates::all().localhost);
};

/** `gnutls-serv --echo`. It can only listen on every address of the machine. */
class gnutls_server : public peer_server {
 public:
  explicit gnutls_server(chain_files const& files = chain_files(), int port = free_port());
};

/** `nginx` in one process, which shows a directory with a page. */
class nginx_server : public peer_server {
 public:
  static constexpr char page[] = "<p>nginx\n";

  explicit nginx_server(temporary_directory const& directory, int port = free_port());
};

/** Python's `ssl`: answers what a client sent, in capitals, after the client's close_notify. */
class python_server : public peer_server {
 public:
  explicit python_server(chain_files const& files = chain_files());
};

/** Node's `tls`: the same. */
class node_server : public peer_server {
 public:
  explicit node_server(chain_files const& files = chain_files());
};

/** Python's `ssl`: says something to each client, and ends without close_notify, as it does when a
    socket is closed. */
class curt_python_server : public peer_server {
 public:
  explicit curt_python_server(chain_files const& files = chain_files());
};

/** Node's `https`: answers a request a little later. */
class node_https_server : public peer_server {
 public:
  explicit node_https_server(chain_files const& files = chain_files());
};

/** A `cotls serve` with the certificate of `certificates::localhost`. */
class tool_server : public serving_tool {
 public:
  explicit tool_server(words const& more, chain_files const& files = chain_files());
};

/** A `cotls connect` or `cotls inspect` that trusts the tests' root, and no other. */
words trusting_tool(std::string const& command, std::string const& address,
                    words const& more = {});

}  // namespace cotls::test
