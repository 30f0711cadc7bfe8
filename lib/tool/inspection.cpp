#include "inspection.hpp"

#include "host_port.hpp"
#include "printable.hpp"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>

#include <cotls/key_pin.hpp>

#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

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

// Kinds of names that few certificates have.
void add_names(std::string& text, char const* label, std::vector<std::string> const& names) {
  if (!names.empty()) add_line(text, label, joined(names));
}

void add_certificate(std::string& text, std::size_t depth, certificate const& one,
                     certificates shown) {
  X509 const* native = one.native_handle();
  text += "\ncertificate " + std::to_string(depth) + '\n';
  add_line(text, "subject", printable(one.subject()));
  add_line(text, "issuer", printable(one.issuer()));
  add_line(text, "names", joined(one.names()));
  add_names(text, "URIs", one.uri_names());
  add_names(text, "e-mail", one.email_names());
  add_line(text, "valid", date_text(X509_get0_notBefore(native)) + " to " +
                              date_text(X509_get0_notAfter(native)));
  add_line(text, "key", one.key_kind());
  add_line(text, "signature", one.signature_algorithm());
  add_line(text, "serial", one.serial_number());
  add_line(text, "SHA-256", one.fingerprint());
  add_line(text, "pin", key_pin::of(one).text());
  if (shown == certificates::whole) text += one.pem();
}

boost::json::array to_json(std::vector<std::string> const& names) {
  boost::json::array all;
  for (std::string const& each : names) all.emplace_back(printable(each));
  return all;
}

boost::json::object to_json(certificate const& one, certificates shown) {
  X509 const* native = one.native_handle();
  boost::json::object made{
      {"subject", printable(one.subject())},
      {"issuer", printable(one.issuer())},
      {"names", to_json(one.names())},
      {"uris", to_json(one.uri_names())},
      {"emails", to_json(one.email_names())},
      {"not_before", date_text(X509_get0_notBefore(native))},
      {"not_after", date_text(X509_get0_notAfter(native))},
      {"key", one.key_kind()},
      {"signature", one.signature_algorithm()},
      {"serial", one.serial_number()},
      {"sha256", one.fingerprint()},
      {"pin", key_pin::of(one).text()},
  };
  if (shown == certificates::whole) made["pem"] = one.pem();
  return made;
}

std::string verification_text(inspection const& seen) {
  if (seen.verified) return "yes";
  return seen.reason.empty() ? "NO: no certificate came" : "NO: " + printable(seen.reason);
}

std::string order_text(std::size_t at) {
  return "WRONG: certificate " + std::to_string(at) + " is not issued by certificate " +
         std::to_string(at + 1);
}

boost::json::value string_or_null(std::string const& text) {
  if (text.empty()) return nullptr;
  return boost::json::string(printable(text));
}

}  // namespace

std::optional<std::size_t> find_disorder(std::vector<certificate> const& chain) {
  for (std::size_t at = 0; at + 1 < chain.size(); ++at) {
    int const found =
        X509_check_issued(chain[at + 1].native_handle(), chain[at].native_handle());
    if (found != X509_V_OK) return at;
  }
  return std::nullopt;
}

std::string to_text(inspection const& seen, certificates shown) {
  std::string text = host_port(seen.host, seen.port).text();
  if (seen.connected()) text += " (" + text_of(seen.address) + ')';
  text += '\n';
  add_line(text, "verified", verification_text(seen));
  if (!seen.refusal.empty()) add_line(text, "refused", printable(seen.refusal));
  add_line(text, "version", seen.info.version);
  add_line(text, "suite", seen.info.suite);
  add_line(text, "group", seen.info.group);
  add_line(text, "signature", seen.info.peer_signature);
  add_line(text, "ALPN", seen.alpn_refused ? "none: the server refuses those that were offered"
                                           : printable(seen.info.alpn));
  if (seen.connected()) {
    // RFC 7627 section 5.2: a peer without it should be refused; here it is told.
    if (!seen.info.extended_master_secret) add_line(text, "keys", "NOT bound to their handshake");
    add_line(text, "resumption", text_of(seen.again));
  }
  if (!seen.verified_chain.empty()) {
    add_line(text, "trusted by", printable(seen.verified_chain.back().subject()));
  }
  if (auto const at = find_disorder(seen.chain)) add_line(text, "chain order", order_text(*at));
  for (std::size_t depth = 0; depth < seen.chain.size(); ++depth) {
    add_certificate(text, depth, seen.chain[depth], shown);
  }
  return text;
}

boost::json::object to_json(inspection const& seen, certificates shown) {
  boost::json::array chain;
  for (certificate const& each : seen.chain) chain.emplace_back(to_json(each, shown));
  std::string const root =
      seen.verified_chain.empty() ? std::string() : seen.verified_chain.back().subject();
  return {
      {"host", printable(seen.host)},
      {"port", seen.port},
      {"address", string_or_null(seen.connected() ? seen.address.address().to_string() : "")},
      {"verified", seen.verified},
      {"reason", string_or_null(seen.reason)},
      {"refused", string_or_null(seen.refusal)},
      {"version", string_or_null(seen.info.version)},
      {"suite", string_or_null(seen.info.suite)},
      {"group", string_or_null(seen.info.group)},
      {"signature", string_or_null(seen.info.peer_signature)},
      {"extended_master_secret", seen.info.extended_master_secret},
      {"alpn", string_or_null(seen.info.alpn)},
      {"alpn_refused", seen.alpn_refused},
      {"resumption", seen.connected() ? boost::json::value(name_of(seen.again)) : nullptr},
      {"trusted_by", string_or_null(root)},
      {"chain_in_order", !find_disorder(seen.chain)},
      {"chain", std::move(chain)},
  };
}

}  // namespace cotls::tool
