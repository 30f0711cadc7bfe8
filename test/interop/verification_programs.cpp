// `openssl verify` and certtool are told of each case by files; curl and Node connect to a cotls
// server each, all of them from one process. curl and Node have OpenSSL look at chains, but compare
// names by themselves, and certtool is GnuTLS.

#include "verification_programs.hpp"

#include "process.hpp"
#include "programs.hpp"

#include <boost/asio/ip/address.hpp>

#include <openssl/x509_vfy.h>

#include <chrono>
#include <sstream>
#include <stdexcept>

namespace cotls::test {

namespace {

// For all cases together, each of which has a limit of 10 seconds of its own.
constexpr auto patience_for_all = std::chrono::seconds(60);

constexpr char node_script[] = R"(
const fs = require('fs'), net = require('net'), tls = require('tls');

// Of several lists in one text Node reads the first.
const lists_of = (path) =>
    fs.readFileSync(path, 'utf8').match(/-----BEGIN X509 CRL-----[^]*?-----END X509 CRL-----/g);

function ask([port, host, roots, lists]) {
  const options = {
    host: '127.0.0.1', port, ca: fs.readFileSync(roots), ciphers: 'DEFAULT@SECLEVEL=2',
    rejectUnauthorized: true,
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(host, certificate),
  };
  if (lists) options.crl = lists_of(lists);
  if (!net.isIP(host)) options.servername = host;
  return new Promise((resolve) => {
    const socket = tls.connect(options);
    socket.setTimeout(10000, () => socket.destroy(new Error('timeout')));
    socket.once('secureConnect', () => { resolve('accepted'); socket.destroy(); });
    socket.once('error', (error) => {
      const verified = socket.authorizationError || error.code === 'ERR_TLS_CERT_ALTNAME_INVALID';
      resolve(verified ? 'refused' : 'failed with ' + error);
    });
  });
}

(async () => {
  for (const line of fs.readFileSync(process.argv[2], 'utf8').trim().split('\n')) {
    console.log(await ask(line.split('\t')));
  }
})();
)";

bool is_address(std::string const& host) {
  boost::system::error_code no_address;
  boost::asio::ip::make_address(host, no_address);
  return !no_address;
}

[[noreturn]] void fail(std::string const& program, verification_case const& one,
                       std::string const& said) {
  throw std::runtime_error(program + " says neither yes nor no of \"" + one.name() + "\": " + said);
}

// Of a program that exits with 0 when it accepts, and with another code when it refuses.
bool exits_well(words const& arguments, int refusal, verification_case const& one) {
  process program(arguments);
  program.end_input();
  int const code = program.wait();
  if (code != 0 && code != refusal) {
    fail(arguments.front(), one, std::to_string(code) + ", " + program.errors());
  }
  return code == 0;
}

// The lines that one process has printed, a line for each case that has a port.
verdicts read_lines(std::string const& program, process const& from, written_cases const& cases,
                    std::string const& yes,
                    bool (*is_no)(std::string const& line, verification_case const& one)) {
  std::istringstream lines(from.output());
  verdicts answers;
  for (written_case const& each : cases.all()) {
    if (each.port == 0) {
      answers.emplace_back();
      continue;
    }
    std::string line;
    std::getline(lines, line);
    if (line != yes && !is_no(line, *each.one)) {
      fail(program, *each.one, line + "\n" + from.errors());
    }
    answers.emplace_back(line == yes);
  }
  return answers;
}

// 60 is for a peer that was not verified. Of a wrong signature curl knows only that the handshake has
// failed, which is 35: where another thing is wrong that is no answer.
bool is_refusal_of_curl(std::string const& line, verification_case const& one) {
  bool const of_signature = one.result() == X509_V_ERR_CERT_SIGNATURE_FAILURE ||
                            one.result() == X509_V_ERR_CRL_SIGNATURE_FAILURE;
  return line == "60" || (line == "35" && of_signature);
}

bool is_refusal_of_node(std::string const& line, verification_case const&) {
  return line == "refused";
}

}  // namespace

verdicts ask_openssl(written_cases const& cases) {
  verdicts answers;
  for (written_case const& each : cases.all()) {
    verification_case const& one = *each.one;
    bool const of_server = one.meant() == purpose::server;
    words asked{"openssl", "verify", "-no-CApath", "-no-CAstore", "-CAfile", each.roots,
                  "-purpose", of_server ? "sslserver" : "sslclient", "-auth_level", "2"};
    auto const add = [&](words const& more) {
      asked.insert(asked.end(), more.begin(), more.end());
    };
    if (of_server) add({is_address(one.host()) ? "-verify_ip" : "-verify_hostname", one.host()});
    if (!each.rest.empty()) add({"-untrusted", each.rest});
    if (!each.lists.empty()) add({"-crl_check", "-CRLfile", each.lists});
    if (one.needs_whole_chain()) add({"-crl_check_all"});
    if (one.depth()) add({"-verify_depth", std::to_string(*one.depth())});
    add({each.leaf});
    answers.emplace_back(exits_well(asked, 2, one));
  }
  return answers;
}

verdicts ask_certtool(written_cases const& cases) {
  verdicts answers;
  for (written_case const& each : cases.all()) {
    verification_case const& one = *each.one;
    bool const of_server = one.meant() == purpose::server;
    words asked{"certtool", "--verify", "--infile", each.chain, "--load-ca-certificate",
                  each.roots, "--verify-profile", "medium", "--verify-purpose",
                  of_server ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2"};
    if (of_server) asked.push_back("--verify-hostname=" + one.host());
    if (!each.lists.empty()) asked.push_back("--load-crl=" + each.lists);
    answers.emplace_back(exits_well(asked, 1, one));
  }
  return answers;
}

verdicts ask_curl(written_cases const& cases) {
  temporary_directory const nothing;   // Debian's curl trusts its directory's roots beside ours
  std::string config;
  auto const set = [&](std::string const& option, std::string const& value) {
    config += option + " = \"" + value + "\"\n";
  };
  for (written_case const& each : cases.all()) {
    if (each.port == 0) continue;
    bool const brackets = each.one->host().find(':') != std::string::npos;
    std::string const host = brackets ? '[' + each.one->host() + ']' : each.one->host();
    if (!config.empty()) config += "next\n";
    set("url", "https://" + host + ':' + std::to_string(each.port) + "/0");
    set("connect-to", "::127.0.0.1:");
    set("noproxy", "*");
    set("cacert", each.roots);
    set("capath", nothing.path().string());
    if (!each.lists.empty()) set("crlfile", each.lists);
    set("ciphers", "DEFAULT@SECLEVEL=2");
    set("max-time", "10");
    set("write-out", "%{exitcode}\\n");
    config += "silent\n";
  }
  process program({"curl", "-q", "--config", cases.directory().write("curl.config", config)});
  program.wait(patience_for_all);   // says how the last one ended
  return read_lines("curl", program, cases, "0", is_refusal_of_curl);
}

verdicts ask_node(written_cases const& cases) {
  std::string lines;
  for (written_case const& each : cases.all()) {
    if (each.port == 0) continue;
    lines += std::to_string(each.port) + '\t' + each.one->host() + '\t' + each.roots + '\t' +
             each.lists + '\n';
  }
  process program({"node", cases.directory().write("ask.js", node_script),
                   cases.directory().write("asked", lines)});
  program.wait(patience_for_all);
  return read_lines("node", program, cases, "accepted", is_refusal_of_node);
}

}  // namespace cotls::test
