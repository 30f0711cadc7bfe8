// A whole TLS session between two processes that are joined by two pipes: the engine needs no
// socket, no event loop and no thread.

#include <cotls/cotls.hpp>

#include <iostream>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace asio = boost::asio;

// Calls the engine until the call wants nothing more, and carries ciphertext to and from the pipes.
template <class Call>
cotls::step complete(cotls::engine& tls, int from_peer, int to_peer, Call call) {
  for (;;) {
    cotls::step const done = call();
    while (tls.output().size() > 0) {   // an alert included, when the call has failed
      ssize_t const sent = write(to_peer, tls.output().data(), tls.output().size());
      if (sent < 0) throw cotls::error(asio::error::broken_pipe);
      tls.consume_output(static_cast<std::size_t>(sent));
    }
    if (done.error) throw tls.last_error();
    if (done.want == cotls::want::nothing) return done;
    char chunk[4096];
    ssize_t const got = read(from_peer, chunk, sizeof chunk);
    if (got > 0) {
      tls.input(asio::buffer(chunk, static_cast<std::size_t>(got)));
    } else {
      tls.end_input();   // the next call says whether the peer had said goodbye
    }
  }
}

// Says one thing, hears one thing, and says goodbye. Returns the process's exit status.
int talk(cotls::engine tls, int from_peer, int to_peer, std::string const& greeting) try {
  auto const until_done = [&](auto call) { return complete(tls, from_peer, to_peer, call); };
  until_done([&] { return tls.handshake(); });
  until_done([&] { return tls.write(asio::buffer(greeting)); });
  std::string heard(100, '\0');
  heard.resize(until_done([&] { return tls.read(asio::buffer(heard)); }).bytes);
  while (until_done([&] { return tls.shutdown(); }).bytes > 0) {
  }
  std::cout << greeting << " heard \"" << heard << "\" over " << tls.info().version << "\n";
  return heard.empty() ? 1 : 0;
} catch (cotls::error const& failed) {
  std::cerr << failed.what() << "\n";
  return 1;
}

int main() {
  cotls::identity const self = cotls::make_self_signed({"localhost"});
  int to_server[2];
  int to_client[2];
  if (pipe(to_server) != 0 || pipe(to_client) != 0) return 1;
  pid_t const child = fork();
  if (child < 0) return 1;
  if (child == 0) {
    close(to_server[1]);   // or we would never see the end of our own pipe
    close(to_client[0]);
    return talk(cotls::engine(cotls::server_context().use(self)), to_server[0], to_client[1],
                "server");
  }
  close(to_server[0]);
  close(to_client[1]);
  int const client = talk(cotls::engine(cotls::client_context().add_root(self.chain().leaf()),
                                        cotls::client_options().host("localhost")),
                          to_client[0], to_server[1], "client");
  int server = 1;
  waitpid(child, &server, 0);
  return client == 0 && WIFEXITED(server) && WEXITSTATUS(server) == 0 ? 0 : 1;
}
