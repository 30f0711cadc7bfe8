#include "tls_options.hpp"

#include "explained.hpp"
#include "server_argument.hpp"

#include <fstream>
#include <string_view>

namespace cotls::tool {

namespace {

void add_common_options(command_line& to) {
  to.add("TLS")
      ("tls1.2", "speak TLS 1.2 and nothing else")
      ("tls1.3", "speak TLS 1.3 and nothing else")
      ("ciphers", a_text("LIST"), "the suites of TLS 1.2, as OpenSSL lists: ECDHE+AESGCM")
      ("suites", a_text("LIST"), "the suites of TLS 1.3: TLS_AES_128_GCM_SHA256")
      ("groups", a_text("LIST"), "the key exchange groups, the preferred first: X25519:P-256")
      ("alpn", a_text("NAME,NAME"), "the ALPN protocols, the preferred first")
      ("cert", a_text("FILE"), "our certificate, then its issuers (PEM)")
      ("key", a_text("FILE"), "its private key (PEM); by default in the file of --cert")
      ("password-file", a_text("FILE"), "the first line of FILE decrypts the key");
}

protocol versions(command_line const& given) {
  bool const only_1_2 = given.has("tls1.2");
  bool const only_1_3 = given.has("tls1.3");
  if (only_1_2 && only_1_3) given.refuse("--tls1.2 and --tls1.3 exclude each other");
  if (only_1_2) return protocol::tls1_2;
  return only_1_3 ? protocol::tls1_3 : protocol::secure;
}

std::string first_line(std::string const& file) {
  std::ifstream in(file);
  std::string line;
  if (!std::getline(in, line)) {
    throw failure(exit_code::failed, "reading the password from " + file + " failed");
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

// What OpenSSL does not know is the command line's mistake, and the option's is named.
template <class Set>
void set_option(command_line const& given, char const* option, Set set) {
  if (!given.has(option)) return;
  // To the library, an empty list is none, which leaves what there is; only ALPN can be empty.
  if (given.text(option)->empty() && std::string_view(option) != "alpn") {
    given.refuse("--" + std::string(option) + " is empty");
  }
  try {
    set(*given.text(option));
  } catch (error const& wrong) {
    if (code_of(wrong) != exit_code::usage) throw;
    given.refuse("--" + std::string(option) + " " + *given.text(option) + ": " + reason_of(wrong));
  }
}

template <class Context>
void set_common(Context& context, command_line const& given) {
  set_option(given, "ciphers", [&](std::string const& list) { context.set_ciphers(list); });
  set_option(given, "suites", [&](std::string const& list) { context.set_ciphers({}, list); });
  set_option(given, "groups", [&](std::string const& list) { context.set_groups(list); });
  set_option(given, "alpn", [&](auto const&) { context.set_alpn(given.list("alpn")); });
}

// Loads the certificate and the key, if they are given.
template <class Context>
bool load_identity(Context& context, command_line const& given) {
  auto const certificate = given.text("cert");
  if (!certificate) {
    for (char const* other : {"key", "password-file"}) {
      if (given.has(other)) given.refuse("--" + std::string(other) + " is nothing without --cert");
    }
    return false;
  }
  key_options reading;
  if (auto const file = given.text("password-file")) reading.password(first_line(*file));
  context.load_certificate_chain(*certificate)
      .load_private_key(given.text("key").value_or(*certificate), reading);
  return true;
}

}  // namespace

void add_client_options(command_line& to) {
  to.add("Whom to trust")
      ("ca", some_texts("FILE"),
       "trust the authorities of FILE (PEM) instead of the system's; may be repeated")
      ("ca-dir", a_text("DIR"), "and those of the hashed directory DIR")
      ("servername", a_text("NAME"), "ask for NAME, and verify the server as NAME instead of HOST");
  add_common_options(to);
}

void add_server_options(command_line& to) {
  add_common_options(to);
  to.add("Clients")
      ("client-ca", some_texts("FILE"),
       "let in those clients alone whose certificate leads to an authority of FILE (PEM)");
}

host_port find_server(command_line const& given) {
  try {
    return parse_server(given.argument());
  } catch (malformed_argument const& wrong) {
    given.refuse(wrong.what());
  }
}

connect_options make_connect_options(command_line const& given) {
  auto const limit = given.seconds("timeout");
  connect_options options;
  options.timeout(limit).handshake_timeout(limit);
  if (auto const name = given.text("servername")) {
    if (name->empty()) given.refuse("--servername is empty");
    options.verify_host(*name);
  }
  return options;
}

client_context make_client_context(command_line const& given) {
  client_context context(versions(given));
  set_common(context, given);
  load_identity(context, given);
  for (auto const& file : given.texts("ca")) context.load_verify_roots(file);
  if (auto const directory = given.text("ca-dir")) context.load_verify_roots({}, *directory);
  if (given.has("insecure")) {
    if (given.has("ca") || given.has("ca-dir")) {
      given.refuse("--insecure verifies nothing, so --ca and --ca-dir would do nothing");
    }
    context.set_verify(verify::none);
  }
  return context;
}

server_context make_server_context(command_line const& given,
                                   std::optional<identity> const& own) {
  server_context context(versions(given));
  set_common(context, given);
  if (!load_identity(context, given) && own) context.use(*own);
  for (auto const& file : given.texts("client-ca")) {
    context.load_verify_roots(file).load_suggested_authorities(file);
  }
  if (given.has("client-ca")) context.set_verify(verify::required);
  return context;
}

}  // namespace cotls::tool
