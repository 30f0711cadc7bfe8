#include "inspection.hpp"

#include "host_port.hpp"
#include "printable.hpp"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>

#include <openssl/asn1.h>
#include <openssl/x509.h>

#include <ctime>
#include <sstream>

namespace cotls::tool {

namespace {

std::string text_of(resumption again) {
  switch (again) {
    case resumption::resumed: return "yes";
    case resumption::full_handshake: return "no: the server did not take its session back";
    case resumption::no_session: return "no: the server gave no session out";
    case resumption::not_connected: return "unknown: the second connection failed";
  }
  return {};
}

char const* name_of(resumption again) {
  switch (again) {
    case resumption::resumed: return "resumed";
    case resumption::full_handshake: return "full_handshake";
    case resumption::no_session: return "no_session";
    case resumption::not_connected: return "not_connected";
  }
  return "";
}

// As ISO 8601 writes it. Straight from the certificate, whose years reach further than a clock's.
std::string date_text(ASN1_TIME const* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "unreadable";
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string text_of(boost::asio::ip::tcp::endpoint const& address) {
  std::ostringstream text;
  text << address;
  return text.str();
}

void add_line(std::string& text, std::string label, std::string const& value) {
  label.resize(12, ' ');
  text += "  " + label + (value.empty() ? "none" : value) + '\n';
}

std::string joined(std::vector<std::string> const& names) {
  std::string all;
  for (std::string const& each : names) {
    if (!all.empty()) all += ", ";
    all += printable(each);
  }
  return all;
}

void add_certificate(std::string& text, std::size_t depth, certificate const& one) {
  X509 const* native = one.native_handle();
  text += "\ncertificate " + std::to_string(depth) + '\n';
  add_line(text, "subject", printable(one.subject()));
  add_line(text, "issuer", printable(one.issuer()));
  add_line(text, "names", joined(one.names()));
  add_line(text, "valid", date_text(X509_get0_notBefore(native)) + " to " +
                              date_text(X509_get0_notAfter(native)));
  add_line(text, "key", one.key_kind());
  add_line(text, "signature", one.signature_algorithm());
  add_line(text, "serial", one.serial_number());
  add_line(text, "SHA-256", one.fingerprint());
}

boost::json::object to_json(certificate const& one) {
  boost::json::array names;
  for (std::string const& each : one.names()) names.emplace_back(printable(each));
  X509 const* native = one.native_handle();
  return {
      {"subject", printable(one.subject())},
      {"issuer", printable(one.issuer())},
      {"names", std::move(names)},
      {"not_before", date_text(X509_get0_notBefore(native))},
      {"not_after", date_text(X509_get0_notAfter(native))},
      {"key", one.key_kind()},
      {"signature", one.signature_algorithm()},
      {"serial", one.serial_number()},
      {"sha256", one.fingerprint()},
  };
}

boost::json::value string_or_null(std::string const& text) {
  if (text.empty()) return nullptr;
  return boost::json::string(printable(text));
}

}  // namespace

std::string to_text(inspection const& seen) {
  std::string text =
      host_port(seen.host, seen.port).text() + " (" + text_of(seen.address) + ")\n";
  add_line(text, "verified", seen.verified ? "yes" : "NO: " + printable(seen.reason));
  if (!seen.refusal.empty()) add_line(text, "refused", printable(seen.refusal));
  add_line(text, "version", seen.info.version);
  add_line(text, "suite", seen.info.suite);
  add_line(text, "group", seen.info.group);
  add_line(text, "ALPN", printable(seen.info.alpn));
  add_line(text, "resumption", text_of(seen.again));
  for (std::size_t depth = 0; depth < seen.chain.size(); ++depth) {
    add_certificate(text, depth, seen.chain[depth]);
  }
  return text;
}

boost::json::object to_json(inspection const& seen) {
  boost::json::array chain;
  for (certificate const& each : seen.chain) chain.emplace_back(to_json(each));
  return {
      {"host", printable(seen.host)},
      {"port", seen.port},
      {"address", seen.address.address().to_string()},
      {"verified", seen.verified},
      {"reason", string_or_null(seen.reason)},
      {"refused", string_or_null(seen.refusal)},
      {"version", seen.info.version},
      {"suite", seen.info.suite},
      {"group", string_or_null(seen.info.group)},
      {"alpn", string_or_null(seen.info.alpn)},
      {"resumption", name_of(seen.again)},
      {"chain", std::move(chain)},
  };
}

}  // namespace cotls::tool
