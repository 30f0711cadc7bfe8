#include "commands.hpp"

#include "explained.hpp"
#include "printable.hpp"

#include <cotls/version.hpp>

#include <openssl/crypto.h>

#include <exception>
#include <iostream>

namespace cotls::tool {

namespace {

constexpr char overview[] = R"(Usage: cotls connect [OPTION]... HOST[:PORT]
       cotls serve   [OPTION]... [ADDRESS:]PORT
       cotls inspect [OPTION]... HOST[:PORT]
       cotls --version

connect  carries standard input and output over TLS
serve    answers clients: with an echo, with the files of a directory, or with a command
inspect  says what a server negotiates, whom it claims to be, and whether that is true

'cotls connect --help' and so on tell more.
)";

exit_code choose(words const& given) {
  if (given.empty()) {
    throw failure(exit_code::usage, "connect, serve or inspect? (see 'cotls --help')");
  }
  std::string const& name = given.front();
  words const rest(given.begin() + 1, given.end());
  if (name == "connect") return connect(rest);
  if (name == "serve") return serve(rest);
  if (name == "inspect") return inspect(rest);
  if (name == "--help" || name == "-h" || name == "help") {
    std::cout << overview;
    return exit_code::done;
  }
  if (name == "--version") {
    std::cout << "cotls " COTLS_VERSION_STRING ", " << OpenSSL_version(OPENSSL_VERSION) << "\n";
    return exit_code::done;
  }
  throw failure(exit_code::usage, "there is no '" + name + "' (see 'cotls --help')");
}

exit_code complain(exit_code code, std::string const& why) {
  std::cerr << "cotls: " + printable(why) + "\n" << std::flush;
  return code;
}

}  // namespace

exit_code run(words const& given) {
  try {
    exit_code const code = choose(given);
    if (!std::cout.flush()) throw failure(exit_code::failed, "writing the output failed");
    return code;
  } catch (failure const& known) {
    return complain(known.code(), known.what());
  } catch (error const& of_library) {
    return complain(code_of(of_library), explained(of_library));
  } catch (std::exception const& other) {
    return complain(exit_code::failed, other.what());
  }
}

}  // namespace cotls::tool
