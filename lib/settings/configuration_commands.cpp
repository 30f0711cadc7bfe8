#include "settings/configuration_commands.hpp"

#include "error/fail.hpp"
#include "openssl/openssl_error.hpp"
#include "openssl/openssl_ptr.hpp"
#include "settings/cipher_list.hpp"
#include "settings/name_list.hpp"

#include <openssl/ssl.h>

#include <algorithm>
#include <memory>

namespace cotls::detail {

namespace {

using conf_ctx_ptr = std::unique_ptr<SSL_CONF_CTX, openssl_deleter<SSL_CONF_CTX_free>>;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  std::size_t const begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// OpenSSL reads the names of commands so.
bool same_name(std::string_view one, std::string_view other) {
  auto const small = [](char each) {
    return each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each;
  };
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [&](char a, char b) { return small(a) == small(b); });
}

// OpenSSL skips words of some lists, and does not name those of others.
std::string checked_value(SSL_CTX* like, std::string const& name, std::string const& value) {
  if (same_name(name, "CipherString")) check_cipher_lists(like, value, {});
  if (same_name(name, "Ciphersuites")) check_cipher_lists(like, {}, value);
  if (same_name(name, "Groups") || same_name(name, "Curves")) return known_groups(like, value);
  if (same_name(name, "SignatureAlgorithms") || same_name(name, "ClientSignatureAlgorithms")) {
    return known_signatures(like, value);
  }
  return value;
}

}  // namespace

configuration_commands::configuration_commands(std::string_view text, role end) : end_(end) {
  while (!text.empty()) {
    std::size_t const length = std::min(text.find('\n'), text.size());
    std::string_view const whole = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    std::string_view const line = trimmed(whole.substr(0, whole.find('#')));
    if (line.empty()) continue;
    std::size_t const equals = line.find('=');
    command read{std::string(trimmed(line.substr(0, equals))), {}};
    if (equals != std::string_view::npos) read.value = trimmed(line.substr(equals + 1));
    if (read.name.empty() || read.value.empty()) {
      fail(errc::invalid_setting,
           "configure: the line \"" + std::string(line) + "\", which is no \"Command = value\",");
    }
    commands_.push_back(std::move(read));
  }
}

void configuration_commands::apply_to(SSL_CTX* context) const {
  conf_ctx_ptr const work(SSL_CONF_CTX_new());
  if (!work) throw_openssl_error({}, "configure");
  // Not SSL_CONF_FLAG_CERTIFICATE: what is shown and trusted has setters, which check it.
  SSL_CONF_CTX_set_flags(work.get(), SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SHOW_ERRORS |
                                         (end_ == role::client ? SSL_CONF_FLAG_CLIENT
                                                               : SSL_CONF_FLAG_SERVER));
  SSL_CONF_CTX_set_ssl_ctx(work.get(), context);
  for (command const& each : commands_) {
    std::string const doing = "configure: \"" + each.name + " = " + each.value + '"';
    std::string const value = checked_value(context, each.name, each.value);
    clear_openssl_errors();
    int const taken = SSL_CONF_cmd(work.get(), each.name.c_str(), value.c_str());
    if (taken == -2) {
      throw_openssl_error(errc::invalid_setting, doing + ", a command that there is not,");
    }
    if (taken <= 0) throw_openssl_error(errc::invalid_setting, doing);
  }
  clear_openssl_errors();
  if (SSL_CONF_CTX_finish(work.get()) != 1) throw_openssl_error(errc::invalid_setting, "configure");
  check_selected_suites(context);
}

void apply_system_policy(SSL_CTX* context, std::string const& section) {
  clear_openssl_errors();
  if (SSL_CTX_config(context, section.c_str()) != 1) {
    throw_openssl_error(errc::invalid_setting, "using the system's policy \"" + section + '"');
  }
  check_selected_suites(context);
}

}  // namespace cotls::detail
