#include "commands.hpp"
#include "explained.hpp"
#include "host_port.hpp"
#include "plain_http.hpp"
#include "services.hpp"
#include "tls_options.hpp"

#include <cotls/detail/system/owned_descriptor.hpp>
#include <cotls/engine.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
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
given it (--write-cert). A certificate of --cert that expires within 14 days, or has, is warned of.
Clients that speak plain HTTP are answered with a 400.

Beyond --max-clients, clients are let in and wait until one of those before them goes. With --exec
that is the limit of processes, too: one for each client.

SIGINT and SIGTERM end it: nobody else is let in, commands are ended by SIGTERM (after 3 seconds by
SIGKILL), and requests in progress are answered, for --stop-timeout at the longest. A second signal
ends all at once.
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
      ("write-cert", a_text("FILE"), "write the certificate into FILE (PEM)")
      ("write-key", a_text("FILE"),
       "write its private key into FILE (PEM), which nobody else may read");
  line.add("Connections")
      ("timeout", a_time(10), "cut off a handshake that takes longer")
      ("idle-timeout", options::value<double>()->value_name("SECONDS"),
       "cut off a client that does nothing for so long (60 with --www)")
      ("early-data",
       "answer requests that come with a client's hello (--www), which anyone can repeat who has "
       "recorded them: GET and HEAD at once, others with 425 (Too Early)")
      ("max-clients", a_number(),
       "serve so many clients at once, the others wait (1000; 100 with --exec)")
      ("stop-timeout", a_time(30), "when it is to end, cut off what takes longer")
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

// A command is a process, and takes three descriptors of what most programs may have: 1024.
std::size_t max_clients(command_line const& given) {
  auto const asked = given.number("max-clients");
  if (asked == 0u) given.refuse("--max-clients takes a number above 0");
  return asked.value_or(given.has("exec") ? 100 : 1000);
}

server_settings settings_of(command_line const& given) {
  if (given.has("exec") && given.has("idle-timeout")) {
    given.refuse("--idle-timeout is not for --exec: COMMAND decides when it ends");
  }
  if (given.has("early-data") && !given.has("www")) {
    given.refuse("--early-data is for --www: HTTP says what may be asked twice");
  }
  if (given.has("early-data") && given.has("ticket-secret")) {
    given.refuse("--early-data contradicts --ticket-secret, by which it could be replayed");
  }
  server_settings settings;
  settings.handshake_timeout(given.seconds("timeout"))
      .stop_timeout(given.seconds("stop-timeout"))
      .max_clients(max_clients(given))
      .early_data(given.has("early-data"))
      .verbose(given.has("verbose"));
  if (given.has("www")) settings.patience(std::chrono::seconds(60));
  if (given.has("idle-timeout")) settings.patience(given.seconds("idle-timeout"));
  return settings;
}

identity make_certificate(command_line const& given) {
  std::vector<std::string> names = given.texts("name");
  if (names.empty()) names = {"localhost", "127.0.0.1", "::1"};
  try {
    return make_self_signed(names);
  } catch (error const& wrong) {
    if (wrong.code() != errc::invalid_host_name) throw;
    given.refuse("--name: " + reason_of(wrong));
  }
}

// Into a file of its own: one that is there may be open to others.
void write_secret(std::string const& file, std::string const& text) {
  std::error_code none_there;
  std::filesystem::remove(file, none_there);
  detail::owned_descriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  auto const size = static_cast<ssize_t>(text.size());
  if (out.get() < 0 || ::write(out.get(), text.data(), text.size()) != size) {
    throw failure(exit_code::failed, "writing the private key to " + file + " failed");
  }
}

// Makes a certificate when none is given, and tells clients how to know it.
std::optional<identity> make_own(command_line const& given) {
  if (given.has("cert") || given.has("pkcs12")) {
    for (char const* other : {"name", "write-cert", "write-key"}) {
      if (given.has(other)) given.refuse("--" + std::string(other) + " contradicts --cert and --pkcs12");
    }
    return std::nullopt;
  }
  identity own = make_certificate(given);
  std::cerr << "certificate: SHA-256 " << own.chain().leaf().fingerprint() << std::endl;
  if (auto const file = given.text("write-cert")) {
    std::ofstream out(*file);
    out << own.chain().leaf().pem();
    if (!out.flush()) {
      throw failure(exit_code::failed, "writing the certificate to " + *file + " failed");
    }
  }
  if (auto const file = given.text("write-key")) write_secret(*file, own.key().pem());
  return own;
}

constexpr auto soon = std::chrono::days(14);   // who renews by hand has a working day in it

// What is left, in the largest unit that it has one of.
std::string in_words(std::chrono::seconds left) {
  using namespace std::chrono;
  auto const count = [](auto number, char const* unit) {
    return std::to_string(number) + ' ' + unit + (number == 1 ? "" : "s");
  };
  if (left >= days(1)) return count(floor<days>(left).count(), "day");
  if (left >= hours(1)) return count(floor<hours>(left).count(), "hour");
  return count(floor<minutes>(left).count(), "minute");
}

// Of the certificate that was given: one of its own is never for longer.
void warn_of_expiry(command_line const& given, server_context const& tls) {
  auto const file = given.text("cert");
  auto const end = tls.expires();
  if (!file || !end) return;
  auto const left =
      std::chrono::floor<std::chrono::seconds>(*end - std::chrono::system_clock::now());
  if (left >= soon) return;
  std::string const when =
      left.count() <= 0 ? "expired " + in_words(-left) + " ago" : "expires in " + in_words(left);
  std::cerr << "warning: a certificate of " + *file + ' ' + when + '\n' << std::flush;
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

  server_settings const how = settings_of(line);
  if (!line.has("exec")) raise_descriptor_limit();
  asio::io_context context(1);
  server::service const service = choose_service(line, context);
  server_context tls = make_server_context(line, make_own(line));
  warn_of_expiry(line, tls);
  if (line.has("www") && !line.has("alpn")) tls.set_alpn({"http/1.1", "http/1.0"});
  if (line.has("early-data")) tls.set_early_data();
  answer_plain_http(tls);
  // What cannot be used together is said in all its words before anybody is listened to.
  engine const trial(tls);
  tcp::endpoint const endpoint(asio::ip::make_address(where->host()), where->port());
  server serving(context, endpoint, tls, service, how);
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
