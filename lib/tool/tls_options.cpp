#include "tls_options.hpp"

#include "explained.hpp"
#include "http_request.hpp"
#include "server_argument.hpp"
#include "whole_file.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

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
      ("pkcs12", a_text("FILE"), "both from one file (PKCS #12: .p12, .pfx)")
      ("password-file", a_text("FILE"), "the first line of FILE decrypts the key")
      ("crl", some_texts("FILE"),
       "refuse the certificates that the revocation lists of FILE (PEM) name; may be repeated")
      ("key-log", a_text("FILE"),
       "append the secrets of each connection to FILE, for Wireshark: whoever has it reads all");
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

ticket_keys keys_of_secret(std::string const& file) {
  std::string secret = read_whole(file, "reading the secret of tickets");
  while (secret.ends_with('\n') || secret.ends_with('\r')) secret.pop_back();
  return ticket_keys::from_secret(
      {reinterpret_cast<unsigned char const*>(secret.data()), secret.size()});
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

// How a text is meant that an option was given several of.
template <class Set>
void set_each(command_line const& given, char const* option, Set set) {
  for (std::string const& each : given.texts(option)) {
    try {
      set(each);
    } catch (error const& wrong) {
      if (code_of(wrong) != exit_code::usage) throw;
      given.refuse("--" + std::string(option) + " " + each + ": " + reason_of(wrong));
    }
  }
}

template <class Context>
void set_common(Context& context, command_line const& given) {
  set_option(given, "ciphers", [&](std::string const& list) { context.set_ciphers(list); });
  set_option(given, "suites", [&](std::string const& list) { context.set_ciphers({}, list); });
  set_option(given, "groups", [&](std::string const& list) { context.set_groups(list); });
  set_option(given, "alpn", [&](auto const&) { context.set_alpn(given.list("alpn")); });
  for (auto const& file : given.texts("crl")) context.load_verify_roots(file);
  if (auto const file = given.text("key-log")) context.set_key_log_file(*file);
}

// As people know it from curl, with two strokes.
key_pin pin_of(std::string_view text) {
  constexpr std::string_view curls = "sha256//";
  return key_pin(text.starts_with(curls) ? text.substr(curls.size()) : text);
}

void set_pins(client_context& context, command_line const& given) {
  std::vector<key_pin> pins;
  set_each(given, "pin", [&](std::string const& text) { pins.push_back(pin_of(text)); });
  if (!pins.empty()) context.set_pins(std::move(pins));
}

// An address that is connected to in the place of a lookup.
struct resolved {
  std::string host;
  std::uint16_t port;
  std::string address;
};

// HOST:PORT:ADDRESS, as curl takes it.
std::optional<resolved> parse_resolved(std::string const& text) {
  std::size_t const first = text.find(':');
  std::size_t const second = first == text.npos ? text.npos : text.find(':', first + 1);
  if (first == 0 || second == text.npos) return std::nullopt;
  auto const port = parse_port(std::string_view(text).substr(first + 1, second - first - 1));
  std::string address = text.substr(second + 1);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  error_code no_address;
  asio::ip::make_address(address, no_address);
  if (!port || no_address) return std::nullopt;
  return resolved{text.substr(0, first), *port, std::move(address)};
}

address_family family(command_line const& given) {
  if (given.has("ipv4") && given.has("ipv6")) given.refuse("-4 and -6 exclude each other");
  if (given.has("ipv4")) return address_family::ipv4;
  return given.has("ipv6") ? address_family::ipv6 : address_family::any;
}

key_options reading_keys(command_line const& given) {
  key_options reading;
  if (auto const file = given.text("password-file")) reading.password(first_line(*file));
  return reading;
}

// Loads the certificate and the key, if they are given.
template <class Context>
bool load_identity(Context& context, command_line const& given) {
  auto const certificate = given.text("cert");
  if (auto const both = given.text("pkcs12")) {
    for (char const* other : {"cert", "key"}) {
      if (given.has(other)) given.refuse("--" + std::string(other) + " contradicts --pkcs12");
    }
    context.use(identity::from_pkcs12_file(*both, reading_keys(given)));
    return true;
  }
  if (!certificate) {
    for (char const* other : {"key", "password-file"}) {
      bool const of_hosts = std::string_view(other) == "password-file" && given.has("host");
      if (!given.has(other) || of_hosts) continue;
      given.refuse("--" + std::string(other) + " is nothing without --cert");
    }
    return false;
  }
  context.load_certificate_chain(*certificate)
      .load_private_key(given.text("key").value_or(*certificate), reading_keys(given));
  return true;
}

// What is asked of clients, whichever host they come to.
void set_clients(server_context& context, command_line const& given) {
  bool const verifies = given.has("client-ca");
  bool const asks = given.has("ask-client-cert");
  if (given.has("crl") && !verifies) given.refuse("--crl is nothing without --client-ca");
  for (auto const& file : given.texts("client-ca")) {
    context.load_verify_roots(file).load_suggested_authorities(file);
  }
  if (verifies) context.set_verify(asks ? verify::optional : verify::required);
  else if (asks) context.set_verify(verify::ask);
}

server_context make_without_identity(command_line const& given) {
  server_context context(versions(given));
  set_common(context, given);
  set_clients(context, given);
  set_option(given, "ticket-secret", [&](std::string const& file) {
    context.set_ticket_keys(keys_of_secret(file));
  });
  return context;
}

}  // namespace

void add_client_options(command_line& to) {
  to.add("Whom to trust")
      ("ca", some_texts("FILE"),
       "trust the authorities of FILE (PEM) instead of the system's; may be repeated")
      ("ca-dir", a_text("DIR"), "and those of the hashed directory DIR")
      ("pin", some_texts("PIN"),
       "and only if its chain has a key with this pin, sha256/BASE64, as 'cotls inspect' shows it; "
       "may be repeated")
      ("servername", a_text("NAME"), "ask for NAME, and verify the server as NAME instead of HOST")
      ("sni", a_text("NAME"), "ask for NAME, and verify the server as HOST all the same")
      ("no-sni", "ask for no name");
  add_common_options(to);
  to.add("Where to connect to")
      ("ipv4,4", "addresses of IPv4 alone")
      ("ipv6,6", "addresses of IPv6 alone")
      ("resolve", some_texts("HOST:PORT:ADDRESS"),
       "connect to ADDRESS instead of looking HOST up, if PORT is the one; may be repeated");
}

void add_server_options(command_line& to) {
  add_common_options(to);
  to.add("Clients")
      ("client-ca", some_texts("FILE"),
       "let in those clients alone whose certificate leads to an authority of FILE (PEM)")
      ("ask-client-cert",
       "ask clients for a certificate, and let in those without one, too; with --client-ca what "
       "they show is verified, otherwise it is only told by -v");
  to.add("Sessions")
      ("ticket-secret", a_text("FILE"),
       "encrypt session tickets by the bytes of FILE, 32 at least, and the time: servers with the "
       "same FILE and names resume each other's sessions, also after a restart");
  to.add("Other hosts")
      ("host", some_texts("NAME=CERT[,KEY]"),
       "serve NAME, or with *. before it the names of one label more, with another certificate and "
       "key (PEM); may be repeated");
}

host_port find_server(command_line const& given) {
  try {
    return parse_server(given.argument());
  } catch (malformed_argument const& wrong) {
    given.refuse(wrong.what());
  }
}

std::string find_address(command_line const& given, host_port const& server) {
  for (std::string const& each : given.texts("resolve")) {
    auto const entry = parse_resolved(each);
    if (!entry) given.refuse("--resolve takes HOST:PORT:ADDRESS, not '" + each + "'");
    if (same_name(entry->host, server.host()) && entry->port == server.port()) {
      return entry->address;
    }
  }
  return server.host();
}

connect_options make_connect_options(command_line const& given, host_port const& server) {
  auto const limit = given.seconds("timeout");
  connect_options options;
  options.timeout(limit).handshake_timeout(limit).family(family(given)).verify_host(server.host());
  if (auto const name = given.text("servername")) {
    if (name->empty()) given.refuse("--servername is empty");
    options.verify_host(*name);
  }
  if (given.has("sni") && given.has("no-sni")) given.refuse("--sni and --no-sni exclude each other");
  if (given.has("no-sni")) options.no_server_name();
  set_option(given, "sni", [&](std::string const& name) { options.server_name(name); });
  return options;
}

client_context make_client_context(command_line const& given) {
  client_context context(versions(given));
  set_common(context, given);
  load_identity(context, given);
  set_pins(context, given);
  for (auto const& file : given.texts("ca")) context.load_verify_roots(file);
  if (auto const directory = given.text("ca-dir")) context.load_verify_roots({}, *directory);
  if (given.has("insecure")) {
    for (char const* idle : {"ca", "ca-dir", "crl", "pin"}) {
      if (!given.has(idle)) continue;
      given.refuse("--insecure verifies nothing, so --" + std::string(idle) + " would do nothing");
    }
    context.set_verify(verify::none);
  }
  return context;
}

server_context make_server_context(command_line const& given,
                                   std::optional<identity> const& own) {
  server_context context = make_without_identity(given);
  if (!load_identity(context, given) && own) context.use(*own);
  set_each(given, "host", [&](std::string const& text) {
    std::size_t const mark = text.find('=');
    if (mark == text.npos) given.refuse("--host takes NAME=CERT[,KEY], not '" + text + "'");
    std::string const files = text.substr(mark + 1);
    std::size_t const comma = std::min(files.find(','), files.size());
    std::string const certificate = files.substr(0, comma);
    std::string const key = comma < files.size() ? files.substr(comma + 1) : certificate;
    server_context host = make_without_identity(given);
    host.load_certificate_chain(certificate).load_private_key(key, reading_keys(given));
    context.add_virtual_host(text.substr(0, mark), host);
  });
  return context;
}

}  // namespace cotls::tool
