#include "commands.hpp"
#include "host_port.hpp"
#include "services.hpp"
#include "tls_options.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>

namespace cotls::tool {

namespace {

using tcp = asio::ip::tcp;

constexpr char explanation[] = R"(
Answers the clients that connect to ADDRESS (127.0.0.1 unless one is given; [::] and 0.0.0.0 are for
everyone) and PORT (0: one that is free). Once it listens, it says so on standard error:

  listening on 127.0.0.1:44321

Without --cert it makes a certificate of its own for localhost, which clients trust once they are
given it (--write-cert). SIGINT and SIGTERM end it, when requests in progress have been answered.
)";

void add_options(command_line& line) {
  line.add("What to answer (one of these)")
      ("echo", "what the client sends")
      ("www", a_text("DIR"), "the files of DIR, with HTTP/1.1")
      ("exec", a_text("COMMAND"),
       "what COMMAND says, which the shell runs for each client, its input and output connected");
  add_server_options(line);
  line.add("Its own certificate")
      ("name", some_texts("NAME"),
       "make it for this DNS name or IP address instead of localhost; may be repeated")
      ("write-cert", a_text("FILE"), "write the certificate into FILE (PEM)");
  line.add("Connections")
      ("timeout", a_time(10), "cut off a handshake that takes longer")
      ("idle-timeout", options::value<double>()->value_name("SECONDS"),
       "cut off a client that does nothing for so long (60 with --www)")
      ("verbose,v", "say on standard error what clients do");
}

server::service choose_service(command_line const& given, asio::io_context& context) {
  if (given.has("echo") + given.has("www") + given.has("exec") != 1) {
    given.refuse("one of --echo, --www and --exec is needed");
  }
  if (auto const directory = given.text("www")) return file_service(*directory);
  if (auto const command = given.text("exec")) return command_service(context, *command);
  return echo_service();
}

server::settings settings_of(command_line const& given) {
  if (given.has("exec") && given.has("idle-timeout")) {
    given.refuse("--idle-timeout is not for --exec: COMMAND decides when it ends");
  }
  server::settings settings;
  settings.handshake_timeout(given.seconds("timeout")).verbose(given.has("verbose"));
  if (given.has("www")) settings.patience(std::chrono::seconds(60));
  if (given.has("idle-timeout")) settings.patience(given.seconds("idle-timeout"));
  return settings;
}

// Makes a certificate when none is given, and tells clients how to know it.
std::optional<identity> make_own(command_line const& given) {
  if (given.has("cert")) {
    for (char const* other : {"name", "write-cert"}) {
      if (given.has(other)) given.refuse("--" + std::string(other) + " contradicts --cert");
    }
    return std::nullopt;
  }
  std::vector<std::string> names = given.texts("name");
  if (names.empty()) names = {"localhost", "127.0.0.1", "::1"};
  identity own = make_self_signed(names);
  std::cerr << "certificate: SHA-256 " << own.chain().leaf().fingerprint() << std::endl;
  if (auto const file = given.text("write-cert")) {
    std::ofstream out(*file);
    out << own.chain().leaf().pem();
    if (!out.flush()) {
      throw failure(exit_code::failed, "writing the certificate to " + *file + " failed");
    }
  }
  return own;
}

// Each client takes a descriptor, and each file. What most programs begin with is few of them, for
// the sake of `select`, which is not used here, but may be by a command that inherits the limit.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);   // refused, it stays as it is
}

}  // namespace

exit_code serve(words const& given) {
  command_line line("cotls serve [OPTION]... [ADDRESS:]PORT", "PORT");
  add_options(line);
  if (!line.parse(given, explanation)) return exit_code::done;
  auto const where = parse_listening_address(line.argument());
  if (!where) line.refuse("'" + line.argument() + "' is no [ADDRESS:]PORT");

  if (!line.has("exec")) raise_descriptor_limit();
  asio::io_context context(1);
  server::service const service = choose_service(line, context);
  server_context tls = make_server_context(line, make_own(line));
  if (line.has("www") && !line.has("alpn")) tls.set_alpn({"http/1.1"});
  tcp::endpoint const endpoint(asio::ip::make_address(where->host()), where->port());
  server serving(context, endpoint, tls, service, settings_of(line));
  std::ostringstream listening;
  listening << "listening on " << serving.endpoint() << "\n";
  std::cerr << listening.str() << std::flush;

  asio::signal_set signals(context, SIGINT, SIGTERM);
  std::function<void(error_code, int)> const stop = [&](error_code code, int) {
    if (code) return;
    serving.stop();
    signals.async_wait(stop);
  };
  signals.async_wait(stop);
  std::exception_ptr failed;
  asio::co_spawn(context, serving.run(), [&](std::exception_ptr thrown) {
    failed = thrown;
    context.stop();
  });
  context.run();
  if (failed) std::rethrow_exception(failed);
  return exit_code::done;
}

}  // namespace cotls::tool
