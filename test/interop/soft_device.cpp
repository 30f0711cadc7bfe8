#include "soft_device.hpp"

#include "tool_peers.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <openssl/crypto.h>
#include <openssl/provider.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iomanip>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <stdlib.h>

namespace cotls::test {

namespace asio = boost::asio;

namespace {

constexpr char softhsm[] = "/usr/lib/softhsm/libsofthsm2.so";

bool is_program(std::string const& name) {
  char const* const path = std::getenv("PATH");
  std::istringstream directories(path ? path : "");
  for (std::string each; std::getline(directories, each, ':');) {
    std::error_code ignored;
    if (std::filesystem::exists(std::filesystem::path(each) / name, ignored)) return true;
  }
  return false;
}

boost::test_tools::assertion_result missing(std::string const& what) {
  boost::test_tools::assertion_result refused(false);
  refused.message() << "this machine has no " << what;
  return refused;
}

void must_succeed(words const& command) {
  process program(command);
  if (program.wait() == 0) return;
  throw std::runtime_error(command.front() + ": " + program.errors() + program.output());
}

bool accepts(int port) {
  asio::io_context context;
  asio::ip::tcp::socket socket(context);
  error_code refused;
  socket.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)}, refused);
  return !refused;
}

}  // namespace

std::string module_of(std::string const& provider) {
  return std::string(OPENSSL_info(OPENSSL_INFO_MODULES_DIR)) + '/' + provider + ".so";
}

boost::test_tools::assertion_result are_installed(std::string const& provider,
                                                  words const& programs) {
  std::string const module = module_of(provider);
  if (!std::filesystem::exists(module)) return missing(module);
  for (std::string const& each : programs) {
    if (!is_program(each)) return missing("program " + each);
  }
  return true;
}

// OpenSSL loads its default provider by itself only as long as no other is. It stays.
loaded_provider::loaded_provider(std::string name) : name_(std::move(name)) {
  static OSSL_PROVIDER* const standard = OSSL_PROVIDER_load(nullptr, "default");
  if (!standard) throw std::runtime_error("no default provider");
}

void loaded_provider::load() {
  if (!loaded_) loaded_ = OSSL_PROVIDER_load(nullptr, name_.c_str());
  if (!loaded_) throw std::runtime_error("the provider " + name_ + " cannot be loaded");
}

void loaded_provider::unload() {
  if (loaded_) OSSL_PROVIDER_unload(std::exchange(loaded_, nullptr));
}

boost::test_tools::assertion_result soft_tpm::is_installed() {
  return are_installed("tpm2", {"swtpm", "tpm2_import"});
}

soft_tpm& soft_tpm::get() {
  static soft_tpm made;
  return made;
}

soft_tpm::soft_tpm() : soft_device("tpm2") {
  // Its clients take the port behind it for its control.
  do port_ = free_port();
  while (port_ == 65535 || accepts(port_ + 1));
  start();
  ::setenv("TPM2OPENSSL_TCTI", transport().c_str(), 1);
  provider().load();
}

std::string soft_tpm::transport() const {
  return "swtpm:host=127.0.0.1,port=" + std::to_string(port_);
}

void soft_tpm::start() {
  auto const at = [](int port) {
    return "type=tcp,bindaddr=127.0.0.1,port=" + std::to_string(port);
  };
  process_ = std::make_unique<process>(
      words{"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + state_.path().string(), "--server",
            at(port_) + ",disconnect", "--ctrl", at(port_ + 1), "--flags",
            "not-need-init,startup-clear"});
  auto const until = std::chrono::steady_clock::now() + process::patience;
  while (!accepts(port_) || !accepts(port_ + 1)) {   // it says nothing when it listens
    if (std::chrono::steady_clock::now() > until) throw std::runtime_error("no swtpm");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void soft_tpm::run(words const& tool) const {
  must_succeed(tool + words{"-T", transport()});
  must_succeed({"tpm2_flushcontext", "-t", "-T", transport()});   // there is room for three objects
}

std::string soft_tpm::keep(entity const& whose) {
  auto const file = [&](char const* name) { return (state_.path() / name).string(); };
  std::string const kind = whose.pem.leaf().key_kind().starts_with("RSA") ? "rsa" : "ecc";
  std::ostringstream handle;
  handle << "0x" << std::hex << next_++;
  run({"tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc256", "-c", file("parent")});
  run({"tpm2_import", "-Q", "-C", file("parent"), "-G", kind, "-i", whose.files.key, "-u",
       file("public"), "-r", file("private")});
  run({"tpm2_load", "-Q", "-C", file("parent"), "-u", file("public"), "-r", file("private"), "-c",
       file("key")});
  run({"tpm2_evictcontrol", "-Q", "-C", "o", "-c", file("key"), handle.str()});
  return "handle:" + handle.str();
}

boost::test_tools::assertion_result soft_token::is_installed() {
  if (!std::filesystem::exists(softhsm)) return missing(softhsm);
  return are_installed("pkcs11", {"softhsm2-util"});
}

soft_token& soft_token::get() {
  static soft_token made;
  return made;
}

soft_token::soft_token() : soft_device("pkcs11") {
  std::string const settings = "objectstore.backend = file\nlog.level = ERROR\n"
                               "directories.tokendir = " + state_.path().string() + '\n';
  ::setenv("SOFTHSM2_CONF", state_.write("softhsm2.conf", settings).c_str(), 1);
  ::setenv("PKCS11_PROVIDER_MODULE", softhsm, 1);
  // The provider knows the tokens alone that are there as it is loaded.
  make_token("web");
  make_token("locked");
  provider().load();
}

void soft_token::run(words const& options) {
  must_succeed(words{"softhsm2-util"} + options + words{"--pin", right_pin});
}

void soft_token::make_token(std::string const& label) {
  run({"--init-token", "--free", "--label", label, "--so-pin", "654321"});
}

std::string soft_token::uri_of(std::string const& token, std::string const& name) {
  return "pkcs11:token=" + token + ";object=" + name + ";type=private";
}

std::string soft_token::keep(entity const& whose, std::string const& token) {
  std::string const id = std::to_string(10 + next_++);
  run({"--import", whose.files.key, "--token", token, "--label", "key" + id, "--id", id});
  return uri_of(token, "key" + id);
}

}  // namespace cotls::test
